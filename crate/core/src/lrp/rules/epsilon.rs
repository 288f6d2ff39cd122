//! The ε-rule.

use ndarray::{Array2, ArrayView2, ArrayViewMut2, Zip};

use super::{Explained, Rule};
use crate::lrp::{LrpError, stabilize};
use crate::nn::Scratch;

/// LRP-ε: each output shares its relevance over its inputs by their contribution.
///
/// ```text
/// z_k = Σ_j w_kj·x_j + b_k        s_k = R_k / stab(z_k),  stab(z) = z + ε·sign(z),  sign(0) = 1
/// R_j = x_j · Σ_k w_kj·s_k        R_w[k,j] = w_kj · Σ_n x_nj·s_nk
/// ```
/// Shapes: x [n, in], z and R_k [n, out], R_j [n, in], R_w [out, in]. Unit: that of the explained output. With b = 0
/// and ε → 0 the sum of relevance is conserved; a bias and ε absorb their part.
///
/// Source: Bach et al. 2015, eq. 58; Montavon et al. 2019, section 10.2. Vectors: `rule-dense-epsilon-*` (zennit).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Epsilon {
    epsilon: f32,
}

impl Epsilon {
    /// ε of the relevance of weights, and of rules that name none.
    pub const DEFAULT: Self = Self { epsilon: 1e-6 };

    /// # Errors
    /// [`LrpError::Setting`] unless `epsilon` is finite and above 0.
    pub fn new(epsilon: f32) -> Result<Self, LrpError> {
        if epsilon.is_finite() && epsilon > 0.0 {
            return Ok(Self { epsilon });
        }
        Err(LrpError::Setting { name: "epsilon", got: epsilon, range: "above 0, for example 1e-6" })
    }

    /// s = R / stab(z), elementwise: what each unit of output sends back per unit of contribution.
    pub fn shares(self, z: ArrayView2<'_, f32>, relevance_out: ArrayView2<'_, f32>) -> Array2<f32> {
        Zip::from(relevance_out).and(z).map_collect(|&r, &z| r / stabilize(z, self.epsilon))
    }
}

impl Rule for Epsilon {
    fn relevance_in(&self, at: Explained<'_>, mut relevance_in: ArrayViewMut2<'_, f32>, scratch: &mut Scratch) {
        let shares = self.shares(at.z, at.relevance_out);
        at.layer.pull_back(at.layer.weight(), shares.view(), relevance_in.view_mut(), scratch);
        relevance_in *= &at.x;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn epsilon_must_be_above_zero() {
        for bad in [0.0, -1e-6, f32::NAN, f32::INFINITY] {
            assert_eq!(Epsilon::new(bad).unwrap_err().code(), "lrp/setting");
        }
        assert_eq!(Epsilon::new(1e-6).unwrap(), Epsilon::DEFAULT);
    }
}
