//! Small sets in the plane, drawn from a seed: what a net learns there can be drawn as a picture.

use std::collections::BTreeMap;

use ndarray::Array2;

use super::{DataError, Dataset, Split};
use crate::math;
use crate::rng::Rng;

/// Streams of [`Rng`]: one a split, so that more training samples leave the test samples as they are.
const TRAIN_STREAM: u64 = 16;
const TEST_STREAM: u64 = 17;
/// Samples of one split.
const MOST_SAMPLES: usize = 1 << 20;
const MOST_ARMS: u8 = 8;

/// What the classes look like. u is uniform in [0, 1); every point is moved by noise·N(0, 1) in x and in y.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Two half circles that reach into each other, as scikit-learn's `make_moons`, around the origin.
    ///
    /// ```text
    /// t = πu    class 0: (cos t − ½, sin t − ¼)    class 1: (½ − cos t, ¼ − sin t)
    /// ```
    Moons,
    /// A circle around another, as scikit-learn's `make_circles` with factor ½.
    ///
    /// ```text
    /// t = 2πu    class 0: (cos t, sin t)    class 1: (½ cos t, ½ sin t)
    /// ```
    Circles,
    /// Arms that turn once around the origin.
    ///
    /// ```text
    /// r = 0.1 + 0.9u    t = 2π(r + class / arms)    (r cos t, r sin t)
    /// ```
    Spirals {
        /// Number of arms and classes, 2 to 8.
        arms: u8,
    },
}

/// How to draw a set.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Toy {
    /// What the classes look like.
    pub shape: Shape,
    /// Samples to learn from; classes take turns.
    pub samples: usize,
    /// Samples to evaluate on; 0 leaves the split out.
    pub test_samples: usize,
    /// Standard deviation of what is added to each coordinate.
    pub noise: f64,
    /// Decides every point.
    pub seed: u64,
}

impl Shape {
    fn name(self) -> &'static str {
        match self {
            Self::Moons => "moons",
            Self::Circles => "circles",
            Self::Spirals { .. } => "spirals",
        }
    }

    fn classes(self) -> usize {
        match self {
            Self::Moons | Self::Circles => 2,
            Self::Spirals { arms } => usize::from(arms),
        }
    }

    /// The point at `u` without noise.
    fn point(self, class: usize, u: f64) -> [f64; 2] {
        use std::f64::consts::{PI, TAU};
        match self {
            Self::Moons => {
                let sign = if class == 0 { 1.0 } else { -1.0 };
                [sign * (math::cos(PI * u) - 0.5), sign * (math::sin(PI * u) - 0.25)]
            }
            Self::Circles => {
                let radius = if class == 0 { 1.0 } else { 0.5 };
                [radius * math::cos(TAU * u), radius * math::sin(TAU * u)]
            }
            Self::Spirals { arms } => {
                let radius = 0.1 + 0.9 * u;
                let angle = TAU * (radius + class as f64 / f64::from(arms));
                [radius * math::cos(angle), radius * math::sin(angle)]
            }
        }
    }
}

impl Toy {
    /// Draws the set: input `[2]`, classes `0`, `1` and so on.
    ///
    /// # Errors
    /// [`DataError::Setting`] for fewer than one sample or more than a million, for noise below 0 or above 10, and for
    /// less than 2 or more than 8 arms.
    pub fn make(&self) -> Result<Dataset, DataError> {
        let setting = |name, got, range| Err(DataError::Setting { name, got, range });
        if !(1..=MOST_SAMPLES).contains(&self.samples) {
            return setting("samples", self.samples as f64, "from 1 to 1048576");
        }
        if self.test_samples > MOST_SAMPLES {
            return setting("test samples", self.test_samples as f64, "from 0 to 1048576");
        }
        if !(0.0..=10.0).contains(&self.noise) {
            return setting("noise", self.noise, "from 0 to 10");
        }
        if let Shape::Spirals { arms } = self.shape
            && !(2..=MOST_ARMS).contains(&arms)
        {
            return setting("arms", f64::from(arms), "from 2 to 8");
        }
        Ok(Dataset {
            name: self.shape.name().into(),
            classes: (0..self.shape.classes()).map(|class| class.to_string()).collect(),
            input: vec![2],
            train: Some(self.split(self.samples, TRAIN_STREAM)),
            test: (self.test_samples > 0).then(|| self.split(self.test_samples, TEST_STREAM)),
            metadata: BTreeMap::new(),
        })
    }

    fn split(&self, samples: usize, stream: u64) -> Split {
        let mut rng = Rng::new(self.seed, stream);
        let y: Vec<usize> = (0..samples).map(|sample| sample % self.shape.classes()).collect();
        let mut x = Array2::zeros((samples, 2));
        for (mut row, &class) in x.rows_mut().into_iter().zip(&y) {
            let point = self.shape.point(class, rng.uniform());
            for (value, coordinate) in row.iter_mut().zip(point) {
                *value = (coordinate + self.noise * rng.normal()) as f32;
            }
        }
        Split { x, y }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn toy(shape: Shape) -> Toy {
        Toy { shape, samples: 6, test_samples: 3, noise: 0.0, seed: 1 }
    }

    #[test]
    fn points_lie_where_the_formulas_say() {
        let near = |[x, y]: [f64; 2], [a, b]: [f64; 2]| (x - a).abs() < 1e-12 && (y - b).abs() < 1e-12;
        assert!(near(Shape::Moons.point(0, 0.5), [-0.5, 0.75]) && near(Shape::Moons.point(1, 0.0), [-0.5, 0.25]));
        assert!(near(Shape::Circles.point(0, 0.25), [0.0, 1.0]) && near(Shape::Circles.point(1, 0.5), [-0.5, 0.0]));
        let spirals = Shape::Spirals { arms: 2 };
        assert!(near(spirals.point(0, 1.0), [1.0, 0.0]) && near(spirals.point(1, 1.0), [-1.0, 0.0]));
    }

    #[test]
    fn a_split_does_not_depend_on_the_other() {
        let few = toy(Shape::Moons).make().unwrap();
        let many = Toy { samples: 60, ..toy(Shape::Moons) }.make().unwrap();
        assert_eq!(few.test, many.test);
        assert_eq!(few.train().unwrap().x.row(5), many.train().unwrap().x.row(5));
        assert_ne!(few.train().unwrap().x.row(0), few.test().unwrap().x.row(0));
        assert_ne!(few, Toy { seed: 2, ..toy(Shape::Moons) }.make().unwrap());
        assert_eq!(toy(Shape::Spirals { arms: 3 }).make().unwrap().train().unwrap().y, [0, 1, 2, 0, 1, 2]);
    }

    #[test]
    fn settings_have_bounds() {
        let spirals = |arms| toy(Shape::Spirals { arms });
        let moons = toy(Shape::Moons);
        for bad in [
            Toy { samples: 0, ..moons },
            Toy { samples: (1 << 20) + 1, ..moons },
            Toy { test_samples: (1 << 20) + 1, ..moons },
            Toy { noise: -0.1, ..moons },
            Toy { noise: f64::NAN, ..moons },
            Toy { noise: 10.1, ..moons },
            spirals(1),
            spirals(9),
        ] {
            assert_eq!(bad.make().unwrap_err().code(), "data/setting", "{bad:?}");
        }
        assert!(Toy { test_samples: 0, ..spirals(2) }.make().unwrap().test.is_none());
    }

    proptest! {
        #[test]
        fn files_read_back_equal(arms in 1_u8..9, samples in 1..200_usize, test in 0..50_usize, noise in 0.0..3.0, seed: u64) {
            let shape = match arms {
                1 => Shape::Moons,
                2 => Shape::Circles,
                arms => Shape::Spirals { arms },
            };
            let data = Toy { shape, samples, test_samples: test, noise, seed }.make().unwrap();
            prop_assert_eq!(Dataset::from_bytes(&data.to_bytes()).unwrap(), data);
        }
    }
}
