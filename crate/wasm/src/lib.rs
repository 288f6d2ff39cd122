//! What the browser calls. Two modules are built from this crate, so that neither loads the other's code:
//! `engine` runs in a worker and owns the net; `charts` runs on the page's thread and draws.

#[cfg(feature = "charts")]
pub mod charts;

#[cfg(feature = "engine")]
pub mod engine;
