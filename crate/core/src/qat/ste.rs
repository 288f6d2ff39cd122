//! The straight-through estimator: from the gradient of a quantized weight to that of the latent weight behind it.

use super::Ste;

impl Ste {
    /// Turns the gradients of quantized weights into those of the latent ones: times the factor of each centroid, times
    /// 1 where it is 0.
    ///
    /// Source: Becking et al. 2022, section 4, after trained ternarization (Zhu et al. 2017), which scales by the
    /// magnitude. The published code leaves tensors of more than 256 values alone; up to 8 bit there is none.
    pub(super) fn pass_through(self, quantized: &[f32], gradient: &mut [f32]) {
        match self {
            Self::Plain => {}
            Self::Scaled => scale(quantized, gradient, f32::abs),
            Self::Signed => scale(quantized, gradient, |centroid| centroid),
        }
    }
}

fn scale(quantized: &[f32], gradient: &mut [f32], factor: impl Fn(f32) -> f32) {
    for (gradient, &centroid) in gradient.iter_mut().zip(quantized) {
        *gradient *= if centroid == 0.0 { 1.0 } else { factor(centroid) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_estimators_by_hand() {
        let passed = |ste: Ste| {
            let mut gradient = [3.0, 3.0, -3.0];
            ste.pass_through(&[-0.5, 0.0, 2.0], &mut gradient);
            gradient
        };
        assert_eq!(passed(Ste::Plain), [3.0, 3.0, -3.0]);
        assert_eq!(passed(Ste::Scaled), [1.5, 3.0, -6.0]);
        assert_eq!(passed(Ste::Signed), [-1.5, 3.0, -6.0]);
    }
}
