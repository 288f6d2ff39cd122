//! The one computation under most rules: relevance is shared over what changed inputs through changed weights give.

use ndarray::{ArrayView2, Axis};

use super::room::{Room, matrix, view};
use super::{Epsilon, Explained, Work};
use crate::lrp::stabilize;

/// What a term reads for the input x.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Input {
    Own,
    /// max(0, x)
    Positive,
    /// min(0, x)
    Negative,
    /// The same number everywhere.
    Constant(f32),
}

/// What a term takes for the weights and, where it has one, the bias.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Bend {
    Own,
    /// max(0, w)
    Positive,
    /// min(0, w)
    Negative,
    /// w + γ·max(0, w)
    MorePositive(f32),
    /// w + γ·min(0, w)
    MoreNegative(f32),
    Square,
    One,
}

/// c·(f(W)·g(x) + f(b)): one summand of what is shared.
#[derive(Debug, Clone, Copy)]
pub(super) struct Term {
    pub input: Input,
    pub bend: Bend,
    pub bias: bool,
    /// c; 1 for the first term of a list.
    pub factor: f32,
}

/// Which outputs take part, by the sign of the layer's own z.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Only {
    All,
    Positive,
    Negative,
}

impl Term {
    pub(super) const fn new(input: Input, bend: Bend, bias: bool) -> Self {
        Self { input, bend, bias, factor: 1.0 }
    }
}

/// How a rule shares, or a part of it.
///
/// ```text
/// z_k = Σ_t c_t·(f_t(W)·g_t(x) + f_t(b))_k      s_k = R_k/stab(z_k), 0 for outputs that take no part
/// R_j = factor · Σ_t c_t·g_t(x)_j·(f_t(W)ᵀ·s)_j
/// ```
pub(super) struct Sharing<'a> {
    pub terms: &'a [Term],
    pub only: Only,
    pub factor: f32,
}

/// Writes the relevance of the input, the sum of all parts. Returns what the biases took.
pub(super) fn share(parts: &[Sharing<'_>], at: Explained<'_>, mut work: Work<'_>) -> f64 {
    let has_negatives = at.x.iter().any(|&x| x < 0.0);
    let run = |(index, part): (usize, &Sharing<'_>)| part.run(at, has_negatives, index > 0, &mut work);
    parts.iter().enumerate().map(run).sum()
}

impl Bend {
    fn of<'a>(self, own: &'a [f32], changed: &'a mut Vec<f32>) -> &'a [f32] {
        fn fill(own: &[f32], changed: &mut Vec<f32>, of: impl Fn(f32) -> f32) {
            changed.clear();
            changed.extend(own.iter().map(|&w| of(w)));
        }
        match self {
            Self::Own => return own,
            Self::Positive => fill(own, changed, |w| w.max(0.0)),
            Self::Negative => fill(own, changed, |w| w.min(0.0)),
            Self::MorePositive(gamma) => fill(own, changed, |w| w + gamma * w.max(0.0)),
            Self::MoreNegative(gamma) => fill(own, changed, |w| w + gamma * w.min(0.0)),
            Self::Square => fill(own, changed, |w| w * w),
            Self::One => fill(own, changed, |_| 1.0),
        }
        changed
    }
}

impl Input {
    /// The input, in the layer's own memory where it is that; a constant is one row.
    fn of<'a>(self, own: ArrayView2<'a, f32>, has_negatives: bool, changed: &'a mut Vec<f32>) -> ArrayView2<'a, f32> {
        let mut fill = |of: fn(f32) -> f32| {
            changed.clear();
            changed.extend(own.iter().map(|&x| of(x)));
        };
        match self {
            Self::Positive if has_negatives => fill(|x| x.max(0.0)),
            Self::Own | Self::Positive => return own,
            Self::Negative => fill(|x| x.min(0.0)),
            Self::Constant(value) => {
                changed.clear();
                changed.resize(own.ncols(), value);
                return view(changed, (1, own.ncols()));
            }
        }
        view(changed, own.dim())
    }
}

impl<'a> Sharing<'a> {
    /// Over these terms, at all outputs.
    pub(super) const fn over(terms: &'a [Term]) -> Self {
        Self { terms, only: Only::All, factor: 1.0 }
    }

    /// Writes the relevance of the input or, with `add`, adds it to what is there. Returns what the biases took.
    fn run(&self, at: Explained<'_>, has_negatives: bool, add: bool, work: &mut Work<'_>) -> f64 {
        let Work { relevance_in, room: Room { weight, bias, x, z, part, sums, .. }, scratch } = work;
        let (layer, size) = (at.layer, at.z.dim());
        // Without negative inputs their terms are nothing, and half of the work of rules that split by sign.
        let is_idle = |term: &Term| term.input == Input::Negative && !has_negatives;
        let terms = || self.terms.iter().enumerate().filter(|(_, term)| !is_idle(term));
        for (index, term) in terms() {
            let weight = term.bend.of(at.weight, weight);
            let bias = at.bias.filter(|_| term.bias).map(|own| term.bend.of(own, bias));
            let x = term.input.of(at.x, has_negatives, x);
            if index == 0 && x.nrows() == size.0 {
                layer.transform(weight, bias, x, matrix(z, size), scratch);
                continue;
            }
            let mut part = matrix(part, (x.nrows(), size.1));
            layer.transform(weight, bias, x, part.view_mut(), scratch);
            let mut z = matrix(z, size);
            for (row, mut z) in z.axis_iter_mut(Axis(0)).enumerate() {
                let part = part.row(row.min(part.nrows().saturating_sub(1)));
                if index == 0 {
                    z.assign(&part);
                } else {
                    z.scaled_add(term.factor, &part);
                }
            }
        }
        let takes_part = |z: f32| match self.only {
            Only::All => true,
            Only::Positive => z > 0.0,
            Only::Negative => z < 0.0,
        };
        let mut shares = matrix(z, size);
        for ((share, &r), &own) in shares.iter_mut().zip(at.relevance_out).zip(at.z) {
            *share = if takes_part(own) { r / stabilize(*share, Epsilon::STABILIZER) } else { 0.0 };
        }
        at.unit_sums(shares.view(), sums);
        let (mut of_bias, single) = (0.0, terms().count() == 1);
        for (count, (_, term)) in terms().enumerate() {
            if let Some(own) = at.bias.filter(|_| term.bias) {
                let products = term.bend.of(own, bias).iter().zip(sums.iter());
                of_bias += f64::from(term.factor * self.factor * products.map(|(b, s)| b * s).sum::<f32>());
            }
            // A single term's is there already.
            let is_bent = single && term.bend != Bend::Own;
            let weight = if is_bent { weight.as_slice() } else { term.bend.of(at.weight, weight) };
            let x = term.input.of(at.x, has_negatives, x);
            let factor = self.factor * term.factor;
            if count == 0 && !add {
                layer.pull_back(weight, shares.view(), relevance_in.view_mut(), scratch);
                *relevance_in *= &x;
                if factor != 1.0 {
                    *relevance_in *= factor;
                }
                continue;
            }
            let mut part = matrix(part, at.x.dim());
            layer.pull_back(weight, shares.view(), part.view_mut(), scratch);
            part *= &x;
            relevance_in.scaled_add(factor, &part);
        }
        of_bias
    }
}
