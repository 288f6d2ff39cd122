//! The charts drawn as SVG and read back: what stands where, never how the file is written.

// Helpers of tests are tests, which clippy sees only inside of #[test] functions.
#![allow(clippy::unwrap_used, clippy::panic)]

mod picture;

use ecqx_wasm::charts::accuracy::{Accuracy, Axis, Visit};
use ecqx_wasm::charts::error::ChartError;
use ecqx_wasm::charts::occupancy::Occupancy;
use ecqx_wasm::charts::sparsity::Sparsity;
use ecqx_wasm::charts::theme::{Theme, ThemeInput};
use picture::{NEGATIVE, POSITIVE, RELEVANCE, SIZES, ZERO, picture, theme_input};

/// A symmetric codebook whose shares fall off from `zero_share`, with every seventh cluster empty.
fn layer(side: usize, zero_share: f64) -> Occupancy {
    let n = 2 * side + 1;
    let tail =
        |i: usize| if i == side || i % 7 == 3 { 0.0 } else { 0.8f64.powi(i32::try_from(i.abs_diff(side)).unwrap()) };
    let total: f64 = (0..n).map(tail).sum();
    let shares = |zero: f64| -> Vec<f64> {
        (0..n).map(|i| if i == side { zero } else { (1.0 - zero) * tail(i) / total.max(1e-12) }).collect()
    };
    Occupancy {
        centroids: (0..n).map(|i| (i as f64 - side as f64) * 0.42 / side as f64).collect(),
        zero: side,
        current: shares(zero_share),
        nearest: shares(zero_share * 0.3),
        ecq: Some(shares((zero_share * 1.05).min(1.0))),
    }
}

fn sparse(layers: usize) -> Sparsity {
    let share = |scale: f64| (0..layers).map(|i| scale * (i as f64 + 1.0) / layers as f64).collect();
    Sparsity {
        layers: (0..layers).map(|i| format!("features.{i}.weight")).collect(),
        current: share(0.9),
        nearest: share(0.2),
        ecq: Some(share(0.95)),
    }
}

fn accurate(power: f64, trail: &[(f64, f64)], current: (f64, f64)) -> Accuracy {
    let visit = |&(x, accuracy): &(f64, f64)| Visit { x, accuracy };
    Accuracy {
        axis: Axis { label: "Entropy weight λ".to_owned(), min: 0.0, max: 1.0, power },
        trail: trail.iter().map(visit).collect(),
        current: visit(&current),
        float_accuracy: 0.967,
        interval: [(current.1 - 0.02).max(0.0), (current.1 + 0.02).min(1.0)],
    }
}

#[test]
fn occupancy_has_a_bar_per_occupied_cluster() {
    for side in [1, 3, 7, 15] {
        let data = layer(side, 0.6);
        let got = picture(&data, (480, 220), 1.0, 12.0);
        let occupied = |range: std::ops::Range<usize>| data.current[range].iter().filter(|s| **s > 0.0).count();
        assert_eq!(got.filled(NEGATIVE).len(), occupied(0..side), "{side}");
        assert_eq!(got.filled(POSITIVE).len(), occupied(side + 1..2 * side + 1), "{side}");
        assert_eq!(got.filled(ZERO).len(), 1);
        assert_eq!(got.filled(RELEVANCE).len(), data.centroids.len());
        assert_eq!(got.zones.len(), data.centroids.len());
        assert!(got.says("60 %") && got.says("0") && got.says("100 %") && got.says("0 %"), "{:?}", got.texts);
    }
}

#[test]
fn occupancy_always_says_that_its_scale_is_a_root() {
    for (width, height) in SIZES {
        for (dpr, font) in [(1.0, 12.0), (2.0, 12.0), (2.0, 16.0), (3.0, 14.0)] {
            for share in [0.1, 0.97, 1.0] {
                let got = picture(&layer(7, share), (width, height), dpr, font);
                let said = got.texts.iter().any(|(text, _)| text.contains('√') || text.contains("square-root"));
                assert!(said, "{width} x {height} at {dpr}: {:?}", got.texts);
            }
        }
    }
}

#[test]
fn occupancy_heights_follow_shares_on_the_root() {
    let data = layer(7, 0.64);
    let got = picture(&data, (480, 400), 1.0, 12.0);
    let mut bars = [got.filled(NEGATIVE), got.filled(ZERO), got.filled(POSITIVE)].concat();
    bars.sort_by(|a, b| a[0].total_cmp(&b[0]));
    let shares: Vec<f64> = data.current.iter().copied().filter(|s| *s > 0.0).collect();
    let zero = bars.iter().zip(&shares).find(|(_, s)| **s == 0.64).map(|(b, _)| b[3] - b[1]).unwrap();
    for (bar, share) in bars.iter().zip(&shares) {
        assert!((bar[3] - bar[1] - zero * (share / 0.64).sqrt()).abs() <= 1.5, "{share}: {bar:?}");
        assert!((bar[3] - bars[0][3]).abs() < 1e-9, "one baseline");
    }
}

#[test]
fn occupancy_survives_every_count_size_and_extreme() {
    for (width, height) in SIZES {
        for (dpr, font) in [(1.0, 12.0), (1.5, 14.0), (3.0, 12.0), (1.0, 18.0)] {
            for side in [1, 2, 3, 7, 15, 31, 63, 127, 128] {
                picture(&layer(side, 0.3), (width, height), dpr, font);
            }
            for share in [0.0, 1e-9, 0.5, 0.999_999, 1.0] {
                let got = picture(&layer(3, share), (width, height), dpr, font);
                assert_eq!(got.zones.len(), 7);
            }
        }
    }
    let even = |n: usize, zero: usize, centroid: f64| Occupancy {
        centroids: vec![centroid; n],
        zero,
        current: vec![1.0 / n as f64; n],
        nearest: vec![1.0 / n as f64; n],
        ecq: None,
    };
    for (n, zero) in [(1, 0), (2, 0), (2, 1), (4, 1), (256, 0), (256, 255), (256, 127), (1000, 500)] {
        for centroid in [0.0, 1e-300, -1e-9, 1e9, 1e300] {
            picture(&even(n, zero, centroid), (280, 160), 1.0, 12.0);
        }
    }
}

#[test]
fn occupancy_shows_256_clusters_and_few_without_blocks() {
    let many = picture(&layer(127, 0.3), (280, 160), 1.0, 12.0);
    assert_eq!(many.zones.len(), 255);
    assert!(many.says("0") && many.says("30 %"));
    assert!(many.filled(ZERO)[0][2] - many.filled(ZERO)[0][0] >= 3.0, "zero stays visible");
    let few = picture(&layer(1, 0.3), (1000, 300), 1.0, 12.0);
    assert!(few.filled(ZERO)[0][2] - few.filled(ZERO)[0][0] <= 60.0);
}

#[test]
fn sparsity_has_a_row_per_layer() {
    for layers in [1, 2, 3, 7, 20] {
        for (width, height) in SIZES {
            let data = sparse(layers);
            let got = picture(&data, (width, height), 2.0, 12.0);
            let bars = got.filled(ZERO);
            assert_eq!(bars.len(), layers);
            assert!(bars.windows(2).all(|pair| pair[0][1] < pair[1][1] && pair[0][2] <= pair[1][2]));
            assert_eq!(got.filled(RELEVANCE).len(), layers);
            assert!(got.says("0 %") && got.says("100 %"));
        }
    }
    let got = picture(&sparse(3), (480, 120), 1.0, 12.0);
    assert!(got.says("features.0.weight") && got.says("30 %") && got.says("60 %") && got.says("90 %"));
}

#[test]
fn sparsity_survives_extremes() {
    let mut data = sparse(2);
    data.current = vec![0.0, 1.0];
    data.nearest = vec![1.0, 0.0];
    data.ecq = None;
    data.layers = vec![String::new(), "a".repeat(500)];
    for (width, height) in SIZES {
        let got = picture(
            &Sparsity { layers: vec!["·".into(), data.layers[1].clone()], ..data.clone() },
            (width, height),
            1.0,
            12.0,
        );
        assert_eq!(got.filled(ZERO).len(), 1, "no zeros, no bar");
        assert!(got.filled(RELEVANCE).is_empty());
    }
}

#[test]
fn accuracy_shows_point_interval_trail_and_float() {
    let data = accurate(3.0, &[(0.5, 0.94), (0.01, 0.966), (0.1, 0.96)], (0.12, 0.958));
    for (width, height) in SIZES {
        for dpr in [1.0, 2.0, 3.0] {
            let got = picture(&data, (width, height), dpr, 12.0);
            assert!(got.says("95.8 %") && got.says("float 96.7 %"), "{:?}", got.texts);
            assert_eq!(got.circles.len(), 4 + 2, "trail with current, then the strong point on its casing");
            assert_eq!(got.zones.len(), 4);
            let y = |i: usize| got.zones[i][1];
            assert!(y(0) > y(3) && y(3) > y(2) && y(2) > y(1), "higher accuracy stands higher");
            assert!(got.zones[1][0] < got.zones[2][0] && got.zones[2][0] < got.zones[0][0]);
        }
    }
    let got = picture(&data, (480, 220), 1.0, 12.0);
    assert!(got.says("Entropy weight λ") && got.says("0") && got.says("1"));
    // On a cube-root axis 0.125 stands in the middle.
    let middle = |x: f64| {
        let got = picture(&accurate(3.0, &[(0.0, 0.9), (1.0, 0.9)], (x, 0.9)), (480, 220), 1.0, 12.0);
        (got.zones[2][0] - got.zones[0][0]) / (got.zones[1][0] - got.zones[0][0])
    };
    assert!((middle(0.125) - 0.5).abs() < 0.01);
}

#[test]
fn accuracy_survives_extremes() {
    for (width, height) in SIZES {
        for level in [0.0, 0.5, 0.967, 1.0] {
            let mut data = accurate(1.0, &[(0.2, level), (0.2, level), (0.7, level)], (0.2, level));
            data.float_accuracy = level;
            data.interval = [level, level];
            let got = picture(&data, (width, height), 1.0, 12.0);
            assert!(got.texts.iter().filter(|(t, _)| t.contains('%')).count() >= 3, "{:?}", got.texts);
        }
        for (min, max, power) in [
            (0.0, 0.0, 1.0),
            (2.0, 8.0, 1.0),
            (-5.0, 5.0, 2.0),
            (0.0, 1e-12, 3.0),
            (-1e308, 1e308, 1.0),
            (0.0, 1e300, 9.0),
        ] {
            let mut data = accurate(power, &[(min, 0.1), (max, 1.0)], (1e9, 0.0));
            data.axis = Axis { label: "x".repeat(200), min, max, power };
            picture(&data, (width, height), 1.0, 12.0);
        }
    }
    let many: Vec<(f64, f64)> = (0..2000).map(|i| (f64::from(i % 100) / 99.0, f64::from(i % 37) / 36.0)).collect();
    let got = picture(&accurate(1.0, &many, (0.5, 0.5)), (480, 220), 1.0, 12.0);
    assert!(got.says("50.0 %"));
}

#[test]
fn tiny_canvases_stay_empty() {
    for css in [(1, 1), (20, 10), (40, 30), (5, 400), (400, 5), (60, 60), (90, 60)] {
        let empties = [
            picture(&layer(7, 0.5), css, 1.0, 12.0).texts.len(),
            picture(&sparse(3), css, 1.0, 12.0).texts.len(),
            picture(&accurate(2.0, &[], (0.1, 0.9)), css, 1.0, 12.0).texts.len(),
        ];
        if css.0 <= 60 || css.1 <= 30 {
            assert_eq!(empties, [0; 3], "{css:?}");
        }
    }
    picture(&layer(7, 0.5), (0, 0), 1.0, 12.0);
    picture(&sparse(3), (300, 0), 1.0, 12.0);
}

#[test]
fn bad_data_is_refused_by_name() {
    let code = |outcome: Result<(), ChartError>| outcome.map_err(|error| error.code()).unwrap_err();
    let broken = |change: fn(&mut Occupancy)| {
        let mut data = layer(2, 0.5);
        change(&mut data);
        code(data.check())
    };
    assert_eq!(broken(|d| d.centroids.clear()), "chart/empty");
    assert_eq!(broken(|d| d.zero = 5), "chart/zero");
    assert_eq!(broken(|d| d.current.truncate(4)), "chart/length");
    assert_eq!(broken(|d| d.nearest.push(0.0)), "chart/length");
    assert_eq!(broken(|d| d.ecq = Some(Vec::new())), "chart/length");
    assert_eq!(broken(|d| d.current[0] = f64::NAN), "chart/range");
    assert_eq!(broken(|d| d.nearest[0] = 1.1), "chart/range");
    assert_eq!(broken(|d| d.centroids[0] = f64::INFINITY), "chart/range");
    assert_eq!(code(sparse(0).check()), "chart/empty");
    let broken = |change: fn(&mut Sparsity)| {
        let mut data = sparse(2);
        change(&mut data);
        code(data.check())
    };
    assert_eq!(broken(|d| d.current.truncate(1)), "chart/length");
    assert_eq!(broken(|d| d.ecq = Some(vec![0.0, -0.1])), "chart/range");
    let broken = |change: fn(&mut Accuracy)| {
        let mut data = accurate(1.0, &[(0.1, 0.9)], (0.2, 0.9));
        change(&mut data);
        code(data.check())
    };
    assert_eq!(broken(|d| d.axis.max = -1.0), "chart/range");
    assert_eq!(broken(|d| d.axis.power = 0.0), "chart/range");
    assert_eq!(broken(|d| d.axis.power = f64::NAN), "chart/range");
    assert_eq!(broken(|d| d.trail[0].x = f64::NAN), "chart/range");
    assert_eq!(broken(|d| d.current.accuracy = 90.0), "chart/range");
    assert_eq!(broken(|d| d.interval = [0.9, 0.8]), "chart/range");
    assert_eq!(broken(|d| d.float_accuracy = f64::NAN), "chart/range");
    for (dpr, font) in [(0.0, 12.0), (f64::NAN, 12.0), (1.0, 0.0), (1.0, f64::INFINITY)] {
        assert_eq!(Theme::new(&theme_input(dpr, font)).unwrap_err().code(), "chart/range");
    }
    let pink = ThemeInput { accent: "hotpink".to_owned(), ..theme_input(1.0, 12.0) };
    assert_eq!(Theme::new(&pink).unwrap_err().to_string(), "theme.accent is \"hotpink\"; colours are written #rrggbb.");
}
