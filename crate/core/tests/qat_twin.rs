//! Steps of mode *exact* against a twin in f64: a net of two dense layers, written from the formulas alone.

#![allow(clippy::unwrap_used, clippy::disallowed_methods)] // helpers of tests may panic; compared with a tolerance

use ecqx_core::data::Split;
use ecqx_core::model::Architecture;
use ecqx_core::nn::Network;
use ecqx_core::qat::{Order, QatSettings, QatTrainer, Ste};
use ecqx_core::quant::{LayerReport, Method, QuantizeSettings};
use ecqx_core::rng::Rng;
use ndarray::Array2;

type Matrix = Vec<Vec<f64>>;

const LR: f64 = 3e-3;
const ALPHA: f64 = 0.25;
const LAMBDA: f64 = 0.06;

/// A dense layer: weights [out][in], biases, and what Adam keeps of both.
#[derive(Clone)]
struct Dense {
    latent: Matrix,
    quantized: Matrix,
    bias: Vec<f64>,
    relevance: Option<Matrix>,
    moments: [Vec<[f64; 2]>; 2],
}

impl Dense {
    fn new(shape: [usize; 2], weight: &[f32], quantized: &[f32], bias: &[f32]) -> Self {
        let rows =
            |values: &[f32]| values.chunks(shape[1]).map(|row| row.iter().map(|&v| v.into()).collect()).collect();
        let moments = [vec![[0.0; 2]; weight.len()], vec![[0.0; 2]; bias.len()]];
        let bias = bias.iter().map(|&v| v.into()).collect();
        Self { latent: rows(weight), quantized: rows(quantized), bias, relevance: None, moments }
    }

    fn forward(&self, weight: &Matrix, x: &[f64]) -> Vec<f64> {
        weight.iter().zip(&self.bias).map(|(row, b)| row.iter().zip(x).map(|(w, x)| w * x).sum::<f64>() + b).collect()
    }

    fn update(&mut self, gradient: &Matrix, of_bias: &[f64], t: i32) {
        let weights = self.latent.iter_mut().flatten().zip(gradient.iter().flatten());
        for ((w, g), moments) in weights.zip(&mut self.moments[0]) {
            adam(w, *g, moments, t);
        }
        for ((b, g), moments) in self.bias.iter_mut().zip(of_bias).zip(&mut self.moments[1]) {
            let decayed = g + 5e-6 * *b;
            adam(b, decayed, moments, t);
        }
    }
}

fn adam(w: &mut f64, g: f64, [m, v]: &mut [f64; 2], t: i32) {
    *m = 0.9 * *m + 0.1 * g;
    *v = 0.999 * *v + 0.001 * g * g;
    *w -= LR * (*m / (1.0 - 0.9_f64.powi(t))) / ((*v / (1.0 - 0.999_f64.powi(t))).sqrt() + 1e-8);
}

fn relu(z: &[f64]) -> Vec<f64> {
    z.iter().map(|z| z.max(0.0)).collect()
}

fn softmax(z: &[f64]) -> Vec<f64> {
    let sum: f64 = z.iter().map(|z| z.exp()).sum();
    z.iter().map(|z| z.exp() / sum).collect()
}

/// Adds w · a · s to each weight's relevance, and returns what goes on to the input.
fn share(weight: &Matrix, a: &[f64], z: &[f64], arrived: &[f64], sum: &mut Matrix) -> Vec<f64> {
    let s: Vec<f64> = z.iter().zip(arrived).map(|(z, r)| r / (z + 1e-6 * if *z < 0.0 { -1.0 } else { 1.0 })).collect();
    for ((sum, row), s) in sum.iter_mut().zip(weight).zip(&s) {
        for ((sum, w), a) in sum.iter_mut().zip(row).zip(a) {
            *sum += w * a * s;
        }
    }
    (0..a.len()).map(|i| a[i] * weight.iter().zip(&s).map(|(row, s)| row[i] * s).sum::<f64>()).collect()
}

fn zeros(like: &Matrix) -> Matrix {
    like.iter().map(|row| vec![0.0; row.len()]).collect()
}

/// One step but for the assignment. Returns the loss.
fn step(layers: &mut [Dense; 2], x: &Matrix, labels: &[usize], ste: Ste, t: i32) -> f64 {
    let n = labels.len() as f64;
    let [mut of_first, mut of_second] = [0, 1].map(|l| (zeros(&layers[l].latent), vec![0.0; layers[l].bias.len()]));
    let mut loss = 0.0;
    for (x, &label) in x.iter().zip(labels) {
        let z = layers[0].forward(&layers[0].quantized, x);
        let a = relu(&z);
        let mut d = softmax(&layers[1].forward(&layers[1].quantized, &a));
        loss -= d[label].ln() / n;
        d[label] -= 1.0;
        for d in &mut d {
            *d /= n;
        }
        let back: Vec<f64> = (0..a.len())
            .map(|i| if z[i] > 0.0 { layers[1].quantized.iter().zip(&d).map(|(row, d)| row[i] * d).sum() } else { 0.0 })
            .collect();
        for ((gradient, bias), d, a) in
            [(&mut of_second, &d, &a), (&mut of_first, &back, x)].map(|(g, d, a)| ((&mut g.0, &mut g.1), d, a))
        {
            for ((row, b), d) in gradient.iter_mut().zip(bias.iter_mut()).zip(d) {
                *b += d;
                row.iter_mut().zip(a).for_each(|(g, a)| *g += d * a);
            }
        }
    }
    for (layer, (mut gradient, bias)) in layers.iter_mut().zip([of_first, of_second]) {
        for (g, q) in gradient.iter_mut().flatten().zip(layer.quantized.iter().flatten()) {
            *g *= if ste == Ste::Plain || *q == 0.0 { 1.0 } else { q.abs() };
        }
        layer.update(&gradient, &bias, t);
    }
    let mut sums = [zeros(&layers[0].latent), zeros(&layers[1].latent)];
    for (x, &label) in x.iter().zip(labels) {
        let z = layers[0].forward(&layers[0].latent, x);
        let a = relu(&z);
        let logits = layers[1].forward(&layers[1].latent, &a);
        let start: Vec<f64> = (0..logits.len()).map(|c| if c == label { logits[c] / n } else { 0.0 }).collect();
        let arrived = share(&layers[1].latent, &a, &logits, &start, &mut sums[1]);
        share(&layers[0].latent, x, &z, &arrived, &mut sums[0]);
    }
    for (layer, new) in layers.iter_mut().zip(sums) {
        match &mut layer.relevance {
            None => layer.relevance = Some(new),
            Some(old) => old.iter_mut().flatten().zip(new.into_iter().flatten()).for_each(|(old, new)| {
                *old = (1.0 - ALPHA) * new + ALPHA * *old;
            }),
        }
    }
    loss
}

/// Cluster and centroid of each weight by all costs, with the reported β; the difference to the next cost.
fn assign(layer: &Dense, report: &LayerReport, largest: usize) -> Vec<(usize, f64)> {
    let (weights, grid): (Vec<f64>, &[f64]) = (layer.latent.concat(), &report.centroids);
    let nearest =
        |w: f64| (0..grid.len()).min_by(|&a, &b| (w - grid[a]).abs().total_cmp(&(w - grid[b]).abs())).unwrap();
    let mut shares = vec![0.0; grid.len()];
    for &w in &weights {
        shares[nearest(w)] += 1.0 / weights.len() as f64;
    }
    let zero = shares[report.zero];
    if zero < 0.5 {
        for share in &mut shares {
            *share *= 0.5 / (1.0 - zero);
        }
        shares[report.zero] = 0.5;
    }
    let bits: Vec<f64> = shares.iter().map(|share| -share.log2()).collect();
    let extremes = [f64::min, f64::max].map(|of| weights.iter().copied().reduce(of).unwrap());
    // The smallest Λ at which each extreme weight prefers zero to every cluster.
    let pairs = extremes.into_iter().flat_map(|m| (0..grid.len()).map(move |c| (m, c)));
    let most = pairs
        .filter(|&(_, c)| c != report.zero && shares[c] > 0.0)
        .map(|(m, c)| (m * m - (grid[c] - m).powi(2)) / (bits[c] - bits[report.zero]));
    let size = (weights.len() as f64 / largest as f64 + 0.05) / 1.05;
    let lagrange = LAMBDA * most.fold(0.0, f64::max) * size;
    assert!((lagrange - report.lagrange).abs() < 1e-4 * lagrange, "{lagrange} against {}", report.lagrange);
    let relevance = layer.relevance.as_ref().unwrap().concat();
    let largest = relevance.iter().fold(0.0_f64, |max, r| max.max(r.abs()));
    let each = weights.iter().zip(&relevance).map(|(w, r)| {
        let factor = 2.0 * (r.abs() / (largest + 1e-12) + 1e-12).powf(report.beta.unwrap());
        let cost =
            |c: usize| ((w - grid[c]).powi(2) + lagrange * bits[c]) * if c == report.zero { factor } else { 1.0 };
        let mut order: Vec<usize> = (0..grid.len()).filter(|&c| shares[c] > 0.0).collect();
        order.sort_by(|&a, &b| cost(a).total_cmp(&cost(b)));
        (order[0], (cost(order[1]) - cost(order[0])) / cost(order[0]))
    });
    each.collect()
}

#[test]
fn steps_follow_a_twin_in_f64() {
    const SHAPES: [[usize; 2]; 2] = [[12, 6], [4, 12]];
    let text = r#"{"input": [6], "layers": [{"name": "a", "kind": "dense", "units": 12},
        {"name": "b", "kind": "relu"}, {"name": "c", "kind": "dense", "units": 4}]}"#;
    for ste in [Ste::Plain, Ste::Scaled] {
        let mut network = Network::new(&Architecture::from_json(text).unwrap()).unwrap();
        network.initialise(3);
        let mut rng = Rng::new(4, 4);
        let data = Split {
            x: Array2::from_shape_simple_fn((16, 6), || rng.normal() as f32),
            y: (0..16).map(|_| rng.below(4)).collect(),
        };
        let settings = QatSettings::new(QuantizeSettings::new(Method::Ecqx, 3, LAMBDA, 0.1));
        let settings = QatSettings { lr: LR, alpha: ALPHA, ste, ..settings };
        let order = Order { batch_size: 8, shuffle: None };
        let mut trainer = QatTrainer::new(&network, settings, order, &data).unwrap();
        let tensors = |network: &Network| network.parameters().map(|p| p.values.to_vec()).collect::<Vec<_>>();
        let (float, carried) = (tensors(&network), tensors(trainer.net().quantized()));
        let mut layers = [0, 1].map(|l| Dense::new(SHAPES[l], &float[2 * l], &carried[2 * l], &float[2 * l + 1]));
        for t in 1..=4 {
            let rows = if t % 2 == 1 { 0..8 } else { 8..16 };
            let x: Matrix = rows.clone().map(|i| data.x.row(i).iter().map(|&v| v.into()).collect()).collect();
            let expected = step(&mut layers, &x, &data.y[rows], ste, t);
            let loss = trainer.step(&data, &data).unwrap().loss;
            assert!((loss - expected).abs() < 1e-5, "step {t}: loss {loss}, not {expected}");
            let (latent, carried) = (tensors(trainer.net().latent()), tensors(trainer.net().quantized()));
            let report = trainer.report();
            for (l, layer) in layers.iter_mut().enumerate() {
                let near = |what: &str, got: &[f32], expected: &[f64], scale: f64| {
                    let apart = got.iter().zip(expected).map(|(g, e)| (f64::from(*g) - e).abs()).fold(0.0, f64::max);
                    assert!(
                        apart < scale && got.len() == expected.len(),
                        "{ste:?}, step {t}: {what} {l} off by {apart}"
                    );
                };
                near("weight", &latent[2 * l], &layer.latent.concat(), 1e-5);
                near("bias", &latent[2 * l + 1], &layer.bias, 1e-5);
                let relevance = layer.relevance.as_ref().unwrap().concat();
                let largest = relevance.iter().fold(0.0_f64, |max, r| max.max(r.abs()));
                near("relevance", &trainer.net().relevance().weights()[l].1, &relevance, 1e-4 * largest);
                let found = assign(layer, &report.layers[l], 72);
                let zeros = found.iter().filter(|(cluster, _)| *cluster == report.layers[l].zero).count();
                assert!(
                    (zeros as f64 / found.len() as f64 - report.layers[l].sparsity).abs() < 1.5 / found.len() as f64
                );
                for (((cluster, gap), got), w) in
                    found.iter().zip(&carried[2 * l]).zip(layer.quantized.iter_mut().flatten())
                {
                    let same = (f64::from(*got) - report.layers[l].centroids[*cluster]).abs() < 1e-6;
                    assert!(same || *gap < 1e-4, "step {t}: layer {l} carries {got}, not cluster {cluster}; gap {gap}");
                    *w = f64::from(*got);
                }
            }
        }
    }
}
