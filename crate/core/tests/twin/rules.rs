//! Rules in f64, each as its formula stands: output by output, input by input. Beside each number stands how far f32 may
//! be off, so that an output near zero, by which relevance is divided, neither hides a bug nor looks like one.

use super::linear::Output;

/// How far f32 may be off, as a share of the sum of the magnitudes that were added: some 160 roundings, more than any
/// of these tests' sums has.
pub const ROUNDING: f64 = 1e-5;
/// ε of all rules that name none.
pub const EPSILON: f64 = 1e-6;

#[derive(Debug, Clone, Copy)]
pub enum Rule {
    Epsilon(f64),
    Gamma(f64),
    ZPlus,
    AlphaBeta(f64, f64),
    ZBox(f64, f64),
    WSquare,
    /// Whether a bias counts as an input.
    Flat(bool),
}

/// A number and how far f32 may be off; infinitely far where rounding can change a sign.
#[derive(Debug, Clone, Copy, Default)]
pub struct Share {
    pub value: f64,
    pub error: f64,
}

impl std::ops::AddAssign for Share {
    fn add_assign(&mut self, other: Self) {
        self.value += other.value;
        self.error += other.error;
    }
}

/// A sum, and the sum of the magnitudes.
#[derive(Debug, Clone, Copy, Default)]
struct Sum {
    value: f64,
    size: f64,
}

fn sum(parts: impl IntoIterator<Item = f64>) -> Sum {
    parts.into_iter().fold(Sum::default(), |sum, part| Sum { value: sum.value + part, size: sum.size + part.abs() })
}

/// What each tap of an output gets of the relevance `r` at it, for the layer's input `x`.
pub fn shares(rule: Rule, output: &Output, x: &[f64], r: Share) -> Vec<Share> {
    let taps = || output.taps.iter().map(|tap| (tap.weight, x[tap.input]));
    let bias = Sum { value: output.bias, size: output.bias_size };
    let bias_if = |counts: bool| if counts { bias } else { Sum::default() };
    let products = |of: &dyn Fn(f64) -> f64| taps().map(|(w, x)| sum([of(w * x)])).collect::<Vec<Sum>>();
    let (positive, negative) = (|v: f64| v.max(0.0), |v: f64| v.min(0.0));
    match rule {
        Rule::Epsilon(epsilon) => by(&products(&|c| c), bias, epsilon, r),
        Rule::Gamma(gamma) => {
            let z = total(&products(&|c| c), bias);
            if z.size > 0.0 && z.value.abs() <= ROUNDING * z.size {
                return vec![Share { value: 0.0, error: f64::INFINITY }; output.taps.len()];
            }
            let own: &dyn Fn(f64) -> f64 = if z.value > 0.0 { &positive } else { &negative };
            let more = Sum { value: bias.value + gamma * own(bias.value), size: (1.0 + gamma) * bias.size };
            let r = if z.value == 0.0 { Share::default() } else { r };
            by(&products(&|c| c + gamma * own(c)), more, EPSILON, r)
        }
        Rule::ZPlus => by(&products(&positive), bias_if(output.bias > 0.0), EPSILON, r),
        Rule::AlphaBeta(alpha, beta) => {
            let raised = by(&products(&positive), bias_if(output.bias > 0.0), EPSILON, r);
            let lowered = by(&products(&negative), bias_if(output.bias < 0.0), EPSILON, r);
            let both = raised.iter().zip(lowered).map(|(up, down)| Share {
                value: alpha * up.value - beta * down.value,
                error: alpha * up.error + beta * down.error,
            });
            both.collect()
        }
        Rule::ZBox(low, high) => {
            let parts = taps().map(|(w, x)| sum([w * x, -positive(w) * low, -negative(w) * high]));
            // b − b⁺ − b⁻ is nothing, but f32 adds it up.
            by(&parts.collect::<Vec<Sum>>(), Sum { value: 0.0, size: 2.0 * bias.size }, EPSILON, r)
        }
        Rule::WSquare => {
            let squares: Vec<Sum> = taps().map(|(w, _)| sum([w * w])).collect();
            by(&squares, Sum { value: bias.value * bias.value, size: bias.size * bias.size }, EPSILON, r)
        }
        Rule::Flat(bias) => {
            let ones = vec![sum([1.0]); output.taps.len()];
            by(&ones, sum([if bias { 1.0 } else { 0.0 }]), EPSILON, r)
        }
    }
}

fn total(parts: &[Sum], rest: Sum) -> Sum {
    parts.iter().fold(rest, |z, part| Sum { value: z.value + part.value, size: z.size + part.size })
}

/// part · r/stab(z), z the sum of all parts and the rest.
fn by(parts: &[Sum], rest: Sum, epsilon: f64, r: Share) -> Vec<Share> {
    let z = total(parts, rest);
    let stabilised = if z.value < 0.0 { z.value - epsilon } else { z.value + epsilon };
    let wrong = ROUNDING * z.size;
    let is_unsure = z.size > 0.0 && (wrong > 0.5 * stabilised.abs() || wrong >= z.value.abs());
    let relative = if is_unsure { f64::INFINITY } else { ROUNDING + 2.0 * wrong / stabilised.abs() };
    let share = |part: &Sum| {
        if part.size == 0.0 || (r.value == 0.0 && r.error == 0.0) {
            return Share::default();
        }
        let error = part.size / stabilised.abs() * (r.value.abs() * relative + r.error);
        Share { value: part.value * r.value / stabilised, error }
    };
    parts.iter().map(share).collect()
}
