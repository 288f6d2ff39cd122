//! The charts of close looks drawn as SVG and read back: maps of pixels, weights by relevance, costs by weight.

// Helpers of tests are tests, which clippy sees only inside of #[test] functions.
#![allow(clippy::unwrap_used, clippy::panic)]

mod picture;

use ecqx_wasm::charts::cost::Costs;
use ecqx_wasm::charts::heatmap::Heatmap;
use ecqx_wasm::charts::scatter::Scatter;
use picture::{ACCENT, NEGATIVE, POSITIVE, RELEVANCE, SIZES, ZERO, picture};

fn map(values: &[f64], limit: f64, signed: bool) -> Heatmap {
    Heatmap { width: 2, values: values.to_vec(), limit, signed }
}

/// Four weights, one of each fate.
fn weights() -> Scatter {
    Scatter { values: vec![-0.4, 0.01, 0.1, 0.2], relevances: vec![1.0, 0.0, 0.25, 0.01], fates: vec![0, 1, 2, 3] }
}

/// Three clusters at −1, 0 and 1; bits cost 0.5 beside zero, 0.1 at it. Thresholds where (w − 1)² + 0.5 = w² + 0.1.
fn costs() -> Costs {
    Costs {
        centroids: vec![-1.0, 0.0, 1.0],
        zero: 1,
        prices: vec![Some(0.5), Some(0.1), Some(0.5)],
        thresholds: vec![-0.7, 0.7],
        factors: Some([0.1, 2.0]),
        weight: Some([0.5, 1.8]),
        weights: vec![-1.2, -0.1, 0.0, 0.1, 0.5, 1.1],
    }
}

#[test]
fn a_map_has_a_square_per_pixel_in_the_hue_of_its_sign() {
    let got = picture(&map(&[1.0, -1.0, 0.0, 2.0], 1.0, true), (200, 120), 1.0, 12.0);
    assert_eq!(got.filled(POSITIVE).len(), 2, "what is above the limit is cut");
    assert_eq!(got.filled(NEGATIVE).len(), 1);
    assert_eq!(got.zones.len(), 4);
    for [x0, y0, x1, y1] in &got.zones {
        assert!((x1 - x0 - (y1 - y0)).abs() <= 1.0, "pixels are square");
    }
    let image = picture(&map(&[1.0, -1.0, 0.0, 0.5], 1.0, false), (200, 120), 1.0, 12.0);
    assert!(image.filled(NEGATIVE).is_empty() && image.filled("#1B1F24").len() == 2, "an image has no hue");
}

#[test]
fn maps_survive_every_size_and_extreme() {
    for size in SIZES {
        for (values, limit) in [(vec![0.0; 4], 0.0), (vec![1e300, -1e300, 0.0, 1e-300], 1e300), (vec![1.0; 4096], 1.0)]
        {
            picture(&map(&values, limit, true), size, 2.0, 12.0);
        }
    }
}

#[test]
fn each_fate_has_its_own_mark() {
    let got = picture(&weights(), (480, 300), 1.0, 12.0);
    assert_eq!(got.zones.len(), 4);
    assert_eq!(got.circles.iter().filter(|(fill, _)| fill == RELEVANCE).count(), 1);
    assert_eq!((got.filled(NEGATIVE).len(), got.filled(ACCENT).len(), got.filled(ZERO).len()), (2, 1, 1));
    // Size grows to the right whatever the sign, relevance upwards.
    let middle = |index: usize| {
        let [x0, y0, x1, y1] = got.zones[index];
        (f32::midpoint(x0, x1), f32::midpoint(y0, y1))
    };
    assert!(middle(0).0 > middle(3).0 && middle(3).0 > middle(2).0);
    assert!(middle(0).1 < middle(2).1 && middle(2).1 < middle(3).1);
    assert!(got.says("weight |w|") && got.says("100 %"));
}

#[test]
fn scatters_survive_every_size_and_extreme() {
    for size in SIZES {
        picture(&weights(), size, 1.5, 12.0);
        let flat = Scatter { values: vec![0.0; 3000], relevances: vec![0.0; 3000], fates: vec![1; 3000] };
        picture(&flat, size, 1.0, 12.0);
    }
}

#[test]
fn costs_show_thresholds_histogram_relevance_and_the_weight() {
    let got = picture(&costs(), (600, 300), 1.0, 12.0);
    // The weight that is looked at: its line, and a mark for each cluster that is cheap enough to be in the picture.
    assert_eq!(got.filled(ACCENT).len(), 1);
    let marks = |hue: &str| got.circles.iter().filter(|(fill, _)| fill == hue).collect::<Vec<_>>();
    assert_eq!((marks(RELEVANCE).len(), marks(POSITIVE).len()), (1, 1));
    // 1.8·(0.25 + 0.1) = 0.63 for zero, 0.25 + 0.5 = 0.75 above it: zero wins, and its mark is the larger and lower one.
    let (zero, above) = (marks(RELEVANCE)[0].1, marks(POSITIVE)[0].1);
    assert!(zero[2] - zero[0] > above[2] - above[0] && zero[1] > above[1]);
    assert!(got.says("cost: (w − centroid)² + Λ · bits") && got.says("weight w"));
    let without = picture(&Costs { factors: None, weight: None, ..costs() }, (600, 300), 1.0, 12.0);
    assert!(without.filled(ACCENT).is_empty() && without.rects.len() < got.rects.len());
}

#[test]
fn costs_survive_every_size_and_extreme() {
    let zeros = Costs { prices: vec![Some(0.0); 3], thresholds: Vec::new(), factors: None, weight: None, ..costs() };
    let one = Costs { centroids: vec![0.0], zero: 0, prices: vec![Some(0.0)], weights: vec![0.0; 3], ..zeros.clone() };
    let never = Costs { prices: vec![None, Some(0.1), None], ..costs() };
    let tiny = Costs { centroids: vec![-1e-30, 0.0, 1e-30], weights: vec![1e-30], ..costs() };
    for size in SIZES {
        for data in [&costs(), &zeros, &one, &never, &tiny] {
            picture(data, size, 2.0, 12.0);
        }
    }
}

#[test]
fn bad_data_is_refused_by_name() {
    assert_eq!(map(&[], 1.0, true).check().unwrap_err().code(), "chart/empty");
    assert_eq!(map(&[1.0; 3], 1.0, true).check().unwrap_err().code(), "chart/length");
    assert_eq!(map(&[f64::NAN; 2], 1.0, true).check().unwrap_err().code(), "chart/range");
    assert_eq!(map(&[1.0; 2], -1.0, true).check().unwrap_err().code(), "chart/range");
    assert_eq!(Scatter { relevances: vec![0.0], ..weights() }.check().unwrap_err().code(), "chart/length");
    assert_eq!(Scatter { fates: vec![4; 4], ..weights() }.check().unwrap_err().code(), "chart/range");
    assert_eq!(Scatter { values: vec![f64::INFINITY; 4], ..weights() }.check().unwrap_err().code(), "chart/range");
    assert_eq!(Costs { zero: 3, ..costs() }.check().unwrap_err().code(), "chart/zero");
    assert_eq!(Costs { prices: vec![None], ..costs() }.check().unwrap_err().code(), "chart/length");
    assert_eq!(Costs { thresholds: vec![f64::NAN], ..costs() }.check().unwrap_err().code(), "chart/range");
}
