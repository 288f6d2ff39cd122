//! Memory that rules compute in.

use ndarray::{ArrayView2, ArrayViewMut2};

/// Memory that means nothing between two rules and is kept between passes, so that no batch allocates. Changed weights
/// and activations lie here: the net itself is never copied.
#[derive(Debug, Default)]
pub struct Room {
    /// A weight and bias as a rule changed it.
    pub(super) weight: Vec<f32>,
    pub(super) bias: Vec<f32>,
    /// A part of the input, [n, in] or [1, in].
    pub(super) x: Vec<f32>,
    /// What is shared, then the shares, [n, out].
    pub(super) z: Vec<f32>,
    /// A product on its way to a sum.
    pub(super) part: Vec<f32>,
    /// Shares, summed by unit or filter.
    pub(super) sums: Vec<f32>,
    /// Shares of the ε-rule on weights, [n, out].
    pub(crate) shares: Vec<f32>,
    /// A weight and bias with batch norm folded in, and what they give.
    pub(crate) folded: Vec<f32>,
    pub(crate) folded_bias: Vec<f32>,
    pub(crate) folded_z: Vec<f32>,
}

impl Room {
    /// From the spare memory of a tape.
    pub(crate) fn of([weight, bias, x, z, part, sums, shares, folded, folded_bias, folded_z]: [Vec<f32>; 10]) -> Self {
        Self { weight, bias, x, z, part, sums, shares, folded, folded_bias, folded_z }
    }

    /// Back to the tape.
    pub(crate) fn into_spare(self) -> [Vec<f32>; 10] {
        let Self { weight, bias, x, z, part, sums, shares, folded, folded_bias, folded_z } = self;
        [weight, bias, x, z, part, sums, shares, folded, folded_bias, folded_z]
    }
}

/// Memory as a matrix of this size, its content undefined.
pub(crate) fn matrix(values: &mut Vec<f32>, (rows, columns): (usize, usize)) -> ArrayViewMut2<'_, f32> {
    values.resize(rows * columns, 0.0);
    ArrayViewMut2::from_shape((rows, columns), values).unwrap_or_else(|_| ArrayViewMut2::from(&mut [[]; 0]))
}

/// What [`matrix`] wrote.
pub(crate) fn view(values: &[f32], size: (usize, usize)) -> ArrayView2<'_, f32> {
    ArrayView2::from_shape(size, values).unwrap_or_else(|_| ArrayView2::from(&[[]; 0]))
}
