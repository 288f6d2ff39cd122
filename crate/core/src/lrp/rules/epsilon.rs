//! The ε-rule.

use ndarray::ArrayView2;

use super::{Explained, Reach, Room, Rule, Work, view};
use crate::lrp::{LrpError, stabilize};

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
    /// What keeps the divisions of all other rules away from zero.
    pub(super) const STABILIZER: f32 = 1e-6;
    /// ε of the relevance of weights, and of rules that name none.
    pub const DEFAULT: Self = Self { epsilon: Self::STABILIZER };

    /// # Errors
    /// [`LrpError::Setting`] unless `epsilon` is finite and above 0.
    pub fn new(epsilon: f32) -> Result<Self, LrpError> {
        if epsilon.is_finite() && epsilon > 0.0 {
            return Ok(Self { epsilon });
        }
        Err(LrpError::Setting { name: "epsilon", got: epsilon, range: "above 0, for example 1e-6" })
    }

    /// s = R / stab(z), elementwise: what each unit of output sends back per unit of contribution.
    pub(crate) fn shares(self, z: ArrayView2<'_, f32>, relevance_out: ArrayView2<'_, f32>, shares: &mut Vec<f32>) {
        shares.clear();
        shares.extend(relevance_out.iter().zip(z).map(|(&r, &z)| r / stabilize(z, self.epsilon)));
    }
}

impl Rule for Epsilon {
    fn reach(&self) -> Reach {
        Reach::Sums(*self)
    }

    fn relevance_in(&self, at: Explained<'_>, Work { mut relevance_in, room, scratch }: Work<'_>) -> f64 {
        let Room { z, sums, .. } = room;
        let shares = if let Some(shares) = at.shares.filter(|_| *self == Self::DEFAULT) {
            shares
        } else {
            self.shares(at.z, at.relevance_out, z);
            view(z, at.z.dim())
        };
        at.layer.pull_back(at.weight, shares, relevance_in.view_mut(), scratch);
        relevance_in *= &at.x;
        at.unit_sums(shares, sums);
        at.bias.unwrap_or_default().iter().zip(sums).map(|(b, s)| f64::from(b * *s)).sum()
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
