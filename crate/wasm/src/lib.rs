//! What the browser calls. Several modules are built from this crate, so that none loads another's code:
//! `engine` runs in a worker and owns the net; `charts` runs on the page's thread and draws; `probe` is no part of the
//! page: tests and benches in a browser reach the core through it.

#[cfg(feature = "charts")]
pub mod charts;

#[cfg(feature = "engine")]
pub mod engine;

// The peak is measured with instructions of that target alone.
#[cfg(all(feature = "probe", target_arch = "wasm32"))]
pub mod probe;
