//! Float parameters on a grid, by dependent quantization: two grids of double width, shifted against each other, and a
//! state of eight that decides which of them a weight may use. A shortest path over the states finds the weights nearest
//! to the given ones.
//!
//! ```text
//! step = (k + (qp mod k))·2^(⌊qp / k⌋ − d),  k = 2^d        d: density, 2 unless a file says otherwise
//! w = step·q        q = 2v − sgn(v)·(state mod 2)           v: what is coded; next state: N[state][v mod 2]
//! ```
//! Source: ISO/IEC 15938-17; trellis-coded quantization as in Marcellin and Fischer 1990.

use super::CodecError;
use super::binarize::Transitions;

/// d, as we write it.
pub(super) const DENSITY: u32 = 2;
/// N: the quantizer's next state by state and parity of the coded number.
pub(super) const DEPENDENT: Transitions = [[0, 2], [7, 5], [1, 3], [6, 4], [2, 0], [5, 7], [3, 1], [4, 6]];
/// Grid points beyond are not coded: candidates of a weight must stay within 32 bits.
const FARTHEST: f64 = 2_147_483_640.0;

/// The distance of neighbouring grid points, in weight units.
pub(super) fn step_size(qp: i32, density: u32) -> f32 {
    let k = 1 << density;
    let exponent = ((qp >> density) - density as i32).clamp(-1022, 1023);
    (f64::from(k + (qp & (k - 1))) * f64::from_bits(((1023 + exponent) as u64) << 52)) as f32
}

/// The weights of coded numbers.
pub(super) fn reconstruct(coded: &[i32], step: f32, transitions: &Transitions, dependent: bool) -> Vec<f32> {
    let mut state = 0;
    let weight = |&v: &i32| {
        let v64 = i64::from(v);
        let q = if dependent { 2 * v64 - v64.signum() * i64::from(state & 1) } else { v64 };
        state = transitions[usize::from(state & 7)][(v & 1) as usize];
        step * q as f32
    };
    coded.iter().map(weight).collect()
}

/// What becomes of weights: grid points q, and the numbers v that are coded for them.
#[derive(Debug)]
pub(super) struct Path {
    pub(super) grid: Vec<i32>,
    pub(super) coded: Vec<i32>,
}

/// The nearest grid points, each for itself.
///
/// # Errors
/// [`CodecError::Range`] where a weight is no number or farther than 2^31 steps.
pub(super) fn nearest(name: &str, weights: &[f32], step: f32) -> Result<Path, CodecError> {
    check(name, weights, step)?;
    let inverse = 1.0 / step;
    let grid: Vec<i32> = weights.iter().map(|&w| (inverse * w).round() as i32).collect();
    Ok(Path { coded: grid.clone(), grid })
}

/// The grid points that a path through the states can reach with the smallest sum of squared distances.
///
/// # Errors
/// As [`nearest`].
pub(super) fn shortest_path(name: &str, weights: &[f32], step: f32) -> Result<Path, CodecError> {
    check(name, weights, step)?;
    let inverse = 1.0 / f64::from(step);
    let mut costs = [f64::INFINITY; 8];
    costs[0] = 0.0;
    // By weight and state that is reached: where from, and whether by a zero.
    let mut steps = Vec::with_capacity(weights.len());
    for &weight in weights {
        let candidates = Candidates::of(weight, inverse);
        let (mut next, mut step) = ([f64::INFINITY; 8], [(0_u8, false); 8]);
        for (from, (&cost, targets)) in (0_u8..).zip(costs.iter().zip(&DEPENDENT)) {
            let [even, odd] = candidates.errors(from);
            for (target, error, is_zero) in
                [(targets[0], even, false), (targets[0], candidates.zero, true), (targets[1], odd, false)]
            {
                let target = usize::from(target & 7);
                if cost + error < next[target] {
                    next[target] = cost + error;
                    step[target] = (from, is_zero);
                }
            }
        }
        costs = next;
        steps.push(step);
    }
    // The first of the cheapest.
    let mut state = (0_u8..)
        .zip(&costs)
        .fold((0, f64::INFINITY), |best, (at, &cost)| if cost < best.1 { (at, cost) } else { best })
        .0;
    let (mut grid, mut coded) = (vec![0; weights.len()], vec![0; weights.len()]);
    for (((&weight, step), q), v) in weights.iter().zip(&steps).zip(&mut grid).zip(&mut coded).rev() {
        let (from, is_zero) = step[usize::from(state & 7)];
        if !is_zero {
            let parity = u8::from(DEPENDENT[usize::from(from & 7)][1] == state);
            let magnitude = Candidates::of(weight, inverse).magnitude(from, parity);
            let sign = if weight < 0.0 { -1 } else { 1 };
            (*q, *v) = (sign * magnitude, sign * ((magnitude - 1) / 2 + 1));
        }
        state = from;
    }
    Ok(Path { grid, coded })
}

fn check(name: &str, weights: &[f32], step: f32) -> Result<(), CodecError> {
    let far =
        |&w: &f32| (f64::from(w) / f64::from(step)).abs().partial_cmp(&FARTHEST).is_none_or(std::cmp::Ordering::is_ge);
    match weights.iter().position(far) {
        Some(position) => {
            let got = weights.get(position).copied().unwrap_or_default();
            Err(CodecError::Range { name: name.into(), position, got })
        }
        None => Ok(()),
    }
}

/// Grid points near a weight: four neighbouring magnitudes, one for each residue by 4, and zero.
#[derive(Debug, Clone, Copy)]
struct Candidates {
    first: i32,
    /// By residue of the magnitude.
    error: [f64; 4],
    zero: f64,
}

/// Residue by 4 of the magnitudes whose coded number is even or odd, in even and in odd states.
const RESIDUES: [[u8; 2]; 2] = [[0, 2], [3, 1]];

impl Candidates {
    fn of(weight: f32, inverse: f64) -> Self {
        let z = f64::from(weight).abs() * inverse;
        let first = (z as i32 - 1).max(1);
        let mut error = [0.0; 4];
        for magnitude in first..first + 4 {
            error[magnitude as usize % 4] = (z - f64::from(magnitude)) * (z - f64::from(magnitude));
        }
        Self { first, error, zero: z * z }
    }

    /// Of the candidates whose coded number is even and odd.
    fn errors(&self, state: u8) -> [f64; 2] {
        RESIDUES[usize::from(state & 1)].map(|residue| self.error[usize::from(residue & 3)])
    }

    fn magnitude(&self, state: u8, parity: u8) -> i32 {
        let residue = i32::from(RESIDUES[usize::from(state & 1)][usize::from(parity & 1)]);
        self.first + (residue - self.first).rem_euclid(4)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn steps_by_hand() {
        let step = |qp| step_size(qp, DENSITY);
        assert_eq!((step(-40), step(-75), step(0), step(3)), (0.000_976_562_5, 5.0 / 2_097_152.0, 1.0, 1.75));
        assert_eq!((step_size(-3, 0), step_size(-1, 1), step_size(9000, 0)), (0.125, 0.75, f32::INFINITY));
    }

    #[test]
    fn what_no_grid_reaches_is_named() {
        for weight in [f32::NAN, f32::INFINITY, -3e9] {
            assert_eq!(shortest_path("w", &[0.0, weight], 1.0).unwrap_err().code(), "codec/range");
            assert_eq!(nearest("w", &[weight], 1.0).unwrap_err().code(), "codec/range");
        }
    }

    /// The smallest sum of squared distances over all paths, by trying every one.
    fn twin(weights: &[f32], state: u8) -> f64 {
        let Some((&weight, rest)) = weights.split_first() else { return 0.0 };
        let reach = (-3..=3).map(|v: i32| {
            let q = 2 * v - v.signum() * i32::from(state & 1);
            let error = f64::from(weight) - f64::from(q);
            error * error + twin(rest, DEPENDENT[usize::from(state)][(v & 1) as usize])
        });
        reach.fold(f64::INFINITY, f64::min)
    }

    proptest! {
        #[test]
        fn no_path_is_nearer(weights in proptest::collection::vec(-4.0..4.0_f32, 0..6)) {
            let path = shortest_path("w", &weights, 1.0).unwrap();
            let back = reconstruct(&path.coded, 1.0, &DEPENDENT, true);
            let error: f64 = weights.iter().zip(&back).map(|(&w, &q)| f64::from(w - q).powi(2)).sum();
            prop_assert!(error <= twin(&weights, 0) + 1e-6);
            prop_assert!(back.iter().zip(&path.grid).all(|(&w, &q)| w == q as f32));
        }
    }
}
