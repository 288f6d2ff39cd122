//! The rectifier.

use ndarray::{ArrayView2, ArrayViewMut2, Zip};

/// y = max(0, x), elementwise. NaN stays NaN, so that it is noticed.
pub(super) fn forward(x: ArrayView2<'_, f32>, y: ArrayViewMut2<'_, f32>) {
    Zip::from(y).and(x).for_each(|y, &x| *y = if x <= 0.0 { 0.0 } else { x });
}

/// dx = dy where x > 0, else 0 (also at 0, as in PyTorch).
pub(super) fn backward(x: ArrayView2<'_, f32>, dy: ArrayView2<'_, f32>, dx: ArrayViewMut2<'_, f32>) {
    Zip::from(dx).and(x).and(dy).for_each(|dx, &x, &dy| *dx = if x <= 0.0 { 0.0 } else { dy });
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array2, array};

    #[test]
    fn passes_what_is_above_zero() {
        let (x, mut out) = (array![[-1.0, 0.0, 2.0]], Array2::zeros((1, 3)));
        forward(x.view(), out.view_mut());
        assert_eq!(out, array![[0.0, 0.0, 2.0]]);
        backward(x.view(), array![[5.0, 6.0, 7.0]].view(), out.view_mut());
        assert_eq!(out, array![[0.0, 0.0, 7.0]]);
    }
}
