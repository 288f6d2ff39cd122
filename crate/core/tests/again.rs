//! Quantizing again and again: what is kept from call to call never shows, and layers may have settings of their own.

// Helpers of tests may panic.
#![allow(clippy::unwrap_used)]

use ecqx_core::model::Architecture;
use ecqx_core::nn::Network;
use ecqx_core::quant::{
    Codebook, LayerInput, Method, Mode, NetQuantizer, QuantizeReport, QuantizeSettings, UnitRelevance, Workspace,
};
use ecqx_core::rng::Rng;
use proptest::prelude::*;

fn random(seed: u64, len: usize, scale: f64) -> Vec<f32> {
    let mut rng = Rng::new(seed, 0);
    (0..len).map(|_| (rng.normal() * rng.normal() * scale) as f32).collect()
}

fn settings() -> impl Strategy<Value = QuantizeSettings> {
    let method = prop_oneof![1 => Just(Method::Nearest), 2 => Just(Method::Ecq), 6 => Just(Method::Ecqx)];
    let bits = prop_oneof![Just(2_u8), Just(4)];
    let lambda = prop_oneof![Just(0.0), Just(0.05), Just(0.3), Just(1.0)];
    let p = prop_oneof![Just(0.0), Just(0.02), Just(0.2)];
    let mode = prop_oneof![3 => Just(Mode::Exact), 1 => Just(Mode::Reference)];
    let beta = prop_oneof![3 => Just(None), 1 => Just(Some(0.3))];
    let rho = prop_oneof![3 => Just(None), 1 => Just(Some(3.0))];
    (method, bits, lambda, p, mode, beta, rho).prop_map(|(method, bits, lambda, p, mode, beta, rho)| QuantizeSettings {
        mode,
        beta,
        rho,
        ..QuantizeSettings::new(method, bits, lambda, p)
    })
}

proptest! {
    /// One memory for all calls against a fresh one for each.
    #[test]
    fn what_is_kept_never_shows(steps in proptest::collection::vec((settings(), 0_u64..4, 0_u64..4), 2..12), len in 300_usize..900) {
        let (mut work, mut codebooks) = (Workspace::default(), [const { None }; 9]);
        let (mut weights, mut relevance) = (random(9, len, 0.1), UnitRelevance::new("fc", &random(8, len, 1.0)).unwrap());
        for (settings, new_weights, new_relevance) in steps {
            if new_weights == 0 {
                weights = random(new_relevance, len, 0.1);
                work.weights_changed();
            }
            if new_relevance == 0 {
                relevance.update("fc", &random(new_weights, len, 1.0)).unwrap();
                work.relevance_changed();
            }
            // Fixed once made, as in training; now and then made anew.
            if new_weights == 1 {
                codebooks = [const { None }; 9];
            }
            let codebook = codebooks[usize::from(settings.bits)]
                .get_or_insert_with(|| Codebook::uniform("fc", &weights, settings.bits).unwrap());
            let input = LayerInput::new("fc", &weights, Some(&relevance), codebook, len + 100).unwrap();
            let (quantizer, mut fresh) = (settings.quantizer().unwrap(), Workspace::default());
            quantizer.assign(&input, &mut work).unwrap();
            quantizer.assign(&input, &mut fresh).unwrap();
            prop_assert_eq!(work.assignment(), fresh.assignment());
        }
    }
}

/// Three layers of 60, 600 and 60 weights.
fn net() -> Network {
    let text = r#"{"input": [6], "layers": [{"name": "a", "kind": "dense", "units": 10},
        {"name": "b", "kind": "dense", "units": 60}, {"name": "c", "kind": "dense", "units": 1}]}"#;
    let mut network = Network::new(&Architecture::from_json(text).unwrap()).unwrap();
    let nodes: Vec<(usize, usize)> = network.weights().map(|(node, weights)| (node, weights.len())).collect();
    for (node, len) in nodes {
        network.weight_mut(node).unwrap().copy_from_slice(&random(node as u64 + 1, len, 0.2));
    }
    network
}

fn quantize(settings: &QuantizeSettings) -> Result<(QuantizeReport, Network), String> {
    let (mut network, mut quantizer) = (net(), NetQuantizer::new(&net()).unwrap());
    quantizer.assign(&network, settings).map_err(|error| error.to_string())?;
    quantizer.write_into(&mut network);
    Ok((quantizer.report(settings.clone()), network))
}

fn with(layers: &[&str]) -> QuantizeSettings {
    let layers = layers.iter().map(|text| text.parse().unwrap()).collect();
    QuantizeSettings { layers, ..QuantizeSettings::new(Method::Ecq, 4, 0.2, 0.0) }
}

#[test]
fn layers_may_have_settings_of_their_own() {
    let (plain, _) = quantize(&with(&[])).unwrap();
    let (own, network) = quantize(&with(&["a:bits=2,lambda=0.1", "b:exclude"])).unwrap();
    let names: Vec<&str> = own.layers.iter().map(|layer| layer.name.as_str()).collect();
    assert_eq!((names, own.weights), (vec!["a", "c"], 120));
    assert_eq!((own.layers[0].bits, own.layers[0].lambda, own.layers[0].centroids.len()), (2, 0.1, 4));
    assert_eq!((own.layers[1].bits, own.layers[1].lambda), (4, 0.2));
    // Without b, c is as large as the largest: Λ is no longer reduced.
    let reduced = (60.0 / 600.0 + 0.05) / 1.05;
    assert!((plain.layers[2].lagrange / own.layers[1].lagrange - reduced).abs() < 1e-12);
    let weights = |network: &Network, at: usize| network.weights().nth(at).unwrap().1.to_vec();
    assert_eq!(weights(&network, 1), weights(&net(), 1), "an excluded layer keeps its weights");
    assert_ne!(weights(&network, 0), weights(&net(), 0));
}

#[test]
fn bad_settings_of_layers_say_what_there_is() {
    let error = |layers: &[&str]| quantize(&with(layers)).unwrap_err();
    assert!(error(&["d:bits=3"]).contains("no layer \"d\"") && error(&["d:bits=3"]).contains("a, b, c"));
    assert!(error(&["a:bits=3", "a:exclude"]).contains("twice"));
    assert!(error(&["a:bits=9"]).contains("bit width is 9"));
    assert!(error(&["a:lambda=-1"]).contains("lambda is -1"));
    assert!(error(&["a:exclude", "b:exclude", "c:exclude"]).contains("every layer is excluded"));
    let needs = QuantizeSettings::new(Method::Ecqx, 4, 0.2, 0.1);
    assert!(quantize(&needs).unwrap_err().contains("needs the relevance of layer a"));
}

#[test]
fn reports_list_everything() {
    let (report, _) = quantize(&with(&[])).unwrap();
    for layer in &report.layers {
        assert_eq!((layer.centroids.len(), layer.shares.len(), layer.thresholds.len()), (16, 16, 15));
        assert!((layer.shares.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        let thresholds: Vec<f64> = layer.thresholds.iter().copied().flatten().collect();
        assert!(thresholds.is_sorted() && !thresholds.is_empty());
    }
    let again: QuantizeSettings = serde_json::from_value(serde_json::to_value(&report.settings).unwrap()).unwrap();
    assert_eq!(again, with(&[]));
}
