//! The matrix product under every layer. Written here because each output must be summed in one fixed order without
//! fused multiply-add: so native and WebAssembly results agree bit by bit, where library kernels choose instructions by
//! processor.

use ndarray::{ArrayView2, ArrayViewMut2};

/// Rows and columns of the register block: 4×8 accumulators fill the vector registers that WebAssembly engines keep.
const ROWS: usize = 4;
const COLUMNS: usize = 8;
/// Depth of a packed panel; `ROWS + COLUMNS` columns of it stay in the first-level cache.
const DEPTH: usize = 256;
/// Rows of `a` that are packed at once.
const TALL: usize = 128;

/// Scratch memory for packed panels; keep one and pass it to every call.
#[derive(Debug, Default, Clone)]
pub struct Pack {
    a: Vec<f32>,
    b: Vec<f32>,
}

/// What happens to the old content of the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Update {
    /// `c = a·b`
    Replace,
    /// `c = c + a·b`
    Add,
}

/// Matrix product `c = a·b` or `c += a·b`. Shapes: `a` [m, k], `b` [k, n], `c` [m, n], any strides (pass a transposed
/// view for a transposed product). Each element is summed over k in ascending order in panels of 256.
///
/// Shapes that disagree are a bug of the caller: checked in debug builds, else the common part is computed.
pub fn matmul(
    a: ArrayView2<'_, f32>,
    b: ArrayView2<'_, f32>,
    mut c: ArrayViewMut2<'_, f32>,
    update: Update,
    pack: &mut Pack,
) {
    debug_assert_eq!((a.nrows(), b.ncols()), c.dim());
    debug_assert_eq!(a.ncols(), b.nrows());
    if update == Update::Replace {
        c.fill(0.0);
    }
    let (rows, columns) = (a.nrows().min(c.nrows()), b.ncols().min(c.ncols()));
    let depth = a.ncols().min(b.nrows());
    for k in (0..depth).step_by(DEPTH) {
        let deep = DEPTH.min(depth - k);
        pack_panels::<COLUMNS>(&mut pack.b, columns, deep, |column, d| b[[k + d, column]]);
        for top in (0..rows).step_by(TALL) {
            let tall = TALL.min(rows - top);
            pack_panels::<ROWS>(&mut pack.a, tall, deep, |row, d| a[[top + row, k + d]]);
            for (panel_b, left) in pack.b.chunks_exact(deep * COLUMNS).zip((0..columns).step_by(COLUMNS)) {
                for (panel_a, above) in pack.a.chunks_exact(deep * ROWS).zip((0..tall).step_by(ROWS)) {
                    let block = multiply_panels(panel_a, panel_b);
                    let high = ROWS.min(tall - above);
                    let wide = COLUMNS.min(columns - left);
                    for (row, values) in block.iter().enumerate().take(high) {
                        for (column, value) in values.iter().enumerate().take(wide) {
                            c[[top + above + row, left + column]] += value;
                        }
                    }
                }
            }
        }
    }
}

/// Lays `lines` lines of length `deep` out in panels of `WIDE` lines, position by position, padded with zeros.
fn pack_panels<const WIDE: usize>(panels: &mut Vec<f32>, lines: usize, deep: usize, at: impl Fn(usize, usize) -> f32) {
    panels.clear();
    panels.resize(lines.div_ceil(WIDE) * WIDE * deep, 0.0);
    for (panel, first) in panels.chunks_exact_mut(WIDE * deep).zip((0..lines).step_by(WIDE)) {
        let wide = WIDE.min(lines - first);
        for (d, slot) in panel.chunks_exact_mut(WIDE).enumerate() {
            for (offset, value) in slot.iter_mut().enumerate().take(wide) {
                *value = at(first + offset, d);
            }
        }
    }
}

#[inline]
fn multiply_panels(a: &[f32], b: &[f32]) -> [[f32; COLUMNS]; ROWS] {
    let mut block = [[0.0_f32; COLUMNS]; ROWS];
    for (a, b) in a.as_chunks::<ROWS>().0.iter().zip(b.as_chunks::<COLUMNS>().0) {
        for (row, &a) in block.iter_mut().zip(a) {
            for (sum, &b) in row.iter_mut().zip(b) {
                *sum += a * b;
            }
        }
    }
    block
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;
    use ndarray::Array2;
    use proptest::prelude::*;

    fn random(rows: usize, columns: usize, rng: &mut Rng) -> Array2<f32> {
        Array2::from_shape_fn((rows, columns), |_| rng.uniform() as f32 - 0.5)
    }

    proptest! {
        #[test]
        fn agrees_with_the_sum_in_f64(m in 1_usize..40, k in 1_usize..600, n in 1_usize..40, seed: u64) {
            let mut rng = Rng::new(seed, 0);
            let (a, b) = (random(m, k, &mut rng), random(n, k, &mut rng));
            let mut c = random(m, n, &mut rng);
            let before = c.clone();
            let mut pack = Pack::default();
            matmul(a.view(), b.t(), c.view_mut(), Update::Add, &mut pack);
            for ((i, j), &value) in c.indexed_iter() {
                let dot: f64 = (0..k).map(|d| f64::from(a[[i, d]]) * f64::from(b[[j, d]])).sum();
                prop_assert!((f64::from(value) - dot - f64::from(before[[i, j]])).abs() < 1e-4);
            }
            let sum = c.clone();
            matmul(a.view(), b.t(), c.view_mut(), Update::Replace, &mut pack);
            prop_assert!(c.iter().zip(&sum).zip(&before).all(|((c, s), b)| (c + b - s).abs() < 1e-4));
        }
    }
}
