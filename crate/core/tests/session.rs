//! The close looks of a session: at one image, and at the weights of one layer.

#![allow(clippy::unwrap_used)] // helpers of tests may panic

use ecqx_core::data::Dataset;
use ecqx_core::lrp::{ExplainSettings, explain};
use ecqx_core::model::Model;
use ecqx_core::nn::{Mode, Tape};
use ecqx_core::quant::{Method, NetQuantizer, QuantizeSettings};
use ecqx_core::session::{Fate, Session};

fn read(path: &str) -> Vec<u8> {
    std::fs::read(format!("{}/../../assets/{path}.safetensors", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn session() -> Session {
    Session::from_bytes(&read("models/digits-mlp"), &read("datasets/digits")).unwrap()
}

fn at(method: Method, bits: u8, lambda: f64) -> QuantizeSettings {
    QuantizeSettings::new(method, bits, lambda, 0.1)
}

#[test]
fn both_maps_share_out_the_explained_logit() {
    let mut session = session();
    session.quantize(at(Method::Ecqx, 2, 0.1)).unwrap();
    let explanation = session.explain_test(7).unwrap().unwrap();
    assert_eq!((explanation.height, explanation.width), (8, 8));
    assert_eq!(explanation.explained, explanation.label.unwrap());
    let data = Dataset::from_bytes(&read("datasets/digits")).unwrap();
    let float = Model::from_bytes(&read("models/digits-mlp")).unwrap().network;
    let mut carries = float.clone();
    let mut quantizer = NetQuantizer::new(&float).unwrap();
    let relevances = explain(&float, data.train().unwrap(), &ExplainSettings::default(), &mut float.evaluation_tape());
    for (node, relevance) in relevances.unwrap().weights {
        quantizer.set_relevance(node, &relevance).unwrap();
    }
    quantizer.assign(&float, &at(Method::Ecqx, 2, 0.1)).unwrap();
    quantizer.write_into(&mut carries);
    let (x, label) = (&data.test().unwrap().x, explanation.explained);
    for (net, answer) in [(&float, &explanation.float), (&carries, &explanation.quantized)] {
        let mut tape = Tape::new(net, 1);
        let logit = net.forward(x.slice(ndarray::s![7..8, ..]), &mut tape, Mode::Evaluate)[[0, label]];
        // Biases take the rest, which is little in this net.
        let total: f32 = answer.relevance.iter().sum();
        assert!((total - logit).abs() < 0.35 * logit.abs(), "{total} of {logit}");
        assert!((answer.probabilities.iter().sum::<f32>() - 1.0).abs() < 1e-5);
    }
    for ((difference, quantized), float) in
        explanation.difference.iter().zip(&explanation.quantized.relevance).zip(&explanation.float.relevance)
    {
        assert_eq!(*difference, quantized - float);
    }
    // The same pixels as one's own image: explained is what the float net answers.
    let own = session.explain_image(&explanation.image).unwrap().unwrap();
    assert_eq!((own.label, own.explained), (None, explanation.float.class));
    assert_eq!(own.float.probabilities, explanation.float.probabilities);
}

#[test]
fn images_that_cannot_be_are_refused() {
    let mut session = session();
    assert!(session.explain_test(360).unwrap_err().to_string().contains("360 images, from 0 to 359"));
    assert_eq!(session.explain_image(&[0.0; 63]).unwrap_err().code(), "data/image");
    assert_eq!(session.explain_image(&[f32::NAN; 64]).unwrap_err().code(), "data/image");
    assert_eq!(session.set_composite("best").unwrap_err().code(), "lrp/composite");
}

#[test]
fn weights_are_told_by_what_became_of_them() {
    let mut session = session();
    assert!(session.weights("fc1").is_err());
    let report = session.quantize(at(Method::Ecqx, 4, 0.08)).unwrap();
    for layer in &report.layers {
        let weights = session.weights(&layer.name).unwrap();
        let count = |fate: Fate| weights.fates.iter().map(|own| u32::from(*own == fate as u8)).sum::<u32>();
        let zeros = |occupancy: &[u32]| occupancy[layer.zero];
        assert_eq!(count(Fate::Zeroed) + count(Fate::GivenUp), zeros(&layer.occupancy));
        assert_eq!(count(Fate::Zeroed) + count(Fate::Saved), zeros(&layer.occupancy_ecq));
        let fate_of = |position: usize| {
            let weight = session.weight(&layer.name, position).unwrap();
            // What the costs say is what the kernels did.
            let totals = weight.costs.iter().map(|cost| cost.total.unwrap_or(f64::INFINITY));
            let least = totals.clone().fold(f64::INFINITY, f64::min);
            assert!(totals.clone().nth(weight.chosen).unwrap() <= least * (1.0 + 1e-5), "{weight:?}");
            match (weight.chosen == layer.zero, weight.ecq == layer.zero) {
                (false, false) => Fate::Kept,
                (true, true) => Fate::Zeroed,
                (false, true) => Fate::Saved,
                (true, false) => Fate::GivenUp,
            }
        };
        for (position, &fate) in weights.fates.iter().enumerate().step_by(7) {
            assert_eq!(fate, fate_of(position) as u8, "weight {position} of {}", layer.name);
        }
        assert!(count(Fate::Saved) > 0 && weights.relevances.len() == weights.values.len());
    }
    session.quantize(at(Method::Ecq, 4, 0.08)).unwrap();
    let weights = session.weights(&report.layers[0].name).unwrap();
    assert!(weights.fates.iter().all(|fate| *fate <= Fate::Zeroed as u8));
    assert_eq!(session.weight("fc1", 1 << 20).unwrap_err().code(), "quant/weight");
    assert!(session.weights("fc9").unwrap_err().to_string().contains(&report.layers[0].name));
}
