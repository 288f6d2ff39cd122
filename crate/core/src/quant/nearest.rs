//! Nearest neighbour: distance alone.

use super::{Ecq, LayerInput, QuantError, Quantizer, Workspace};

/// argmin_c (w − w_c)². The yardstick for every other method, and ECQ without a price.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Nearest;

impl Quantizer for Nearest {
    fn assign(&self, layer: &LayerInput<'_>, work: &mut Workspace) -> Result<(), QuantError> {
        Ecq::FREE.assign(layer, work)
    }
}
