//! Quantization-aware training: a net learns while it carries quantized weights. Behind each of them stands a latent
//! full-precision weight, which is what the optimizer steps and what is assigned anew ([`QatNet`], one step).
//! [`QatTrainer`] makes epochs of steps, keeps the best, stops early, writes [`History`] down, and can be put away and
//! taken up again as bytes (`snapshot`). [`QatSettings`] may change between any two steps.

mod error;
mod exact;
mod history;
mod net;
mod settings;
mod snapshot;
mod ste;
mod trainer;

pub use error::QatError;
pub use history::{EpochReport, EpochRow, History, LayerRow, StepReport, Thinned};
pub use net::{QatNet, Summary};
pub use settings::{Order, QatSettings, RelevanceOn, Ste};
pub use trainer::{Best, Finish, QatTrainer};
