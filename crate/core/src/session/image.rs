//! A close look at one image: what the float and the quantized net answer, and which pixels made them.

use ndarray::{Array2, ArrayView2};
use serde::Serialize;

use super::Session;
use crate::CoreError;
use crate::data::{DataError, Split};
use crate::lrp::{ExplainSettings, KeepInputs, explain};
use crate::nn::{Mode, Network, Tape, first_max, softmax};

/// One image explained for both nets. Maps are [height, width], row-major, summed over channels.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explanation {
    /// Pixels up.
    pub height: usize,
    /// Pixels across.
    pub width: usize,
    /// The image itself, its channels' mean.
    pub image: Vec<f32>,
    /// What it is, where that is known.
    pub label: Option<usize>,
    /// The class whose logit both maps explain: the label, else the float net's answer.
    pub explained: usize,
    /// The net as it was loaded.
    pub float: Answer,
    /// The net as it was last quantized.
    pub quantized: Answer,
    /// Relevance in the quantized net less that in the float net.
    pub difference: Vec<f32>,
}

/// What one net makes of an image.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Answer {
    /// The class with the largest logit.
    pub class: usize,
    /// Softmax, by class.
    pub probabilities: Vec<f32>,
    /// Relevance of each pixel for the explained class, in units of its logit.
    pub relevance: Vec<f32>,
}

impl Session {
    /// Explains an image of the test set. `None` where the net's input is no image.
    ///
    /// # Errors
    /// [`DataError::NoImage`] beyond the last image; relevance that overflows.
    pub fn explain_test(&mut self, index: usize) -> Result<Option<Explanation>, CoreError> {
        let test = self.data.test()?;
        let Some(&label) = test.y.get(index) else {
            return Err(DataError::NoImage { index, images: test.len() }.into());
        };
        let pixels = test.x.row(index).to_vec();
        self.explain(pixels, Some(label))
    }

    /// Explains an image of one's own: the net's input, [channels, height, width], row-major, in the dataset's units.
    /// `None` where the net's input is no image.
    ///
    /// # Errors
    /// [`DataError::Pixels`] where it has another size or values that are no finite numbers; relevance that overflows.
    pub fn explain_image(&mut self, pixels: &[f32]) -> Result<Option<Explanation>, CoreError> {
        let expected: usize = self.data.input.iter().product();
        if pixels.len() != expected || !pixels.iter().all(|pixel| pixel.is_finite()) {
            return Err(DataError::Pixels { got: pixels.len(), expected }.into());
        }
        self.explain(pixels.to_vec(), None)
    }

    fn explain(&mut self, pixels: Vec<f32>, label: Option<usize>) -> Result<Option<Explanation>, CoreError> {
        let &[channels, height, width] = self.data.input.as_slice() else { return Ok(None) };
        let Ok(x) = Array2::from_shape_vec((1, pixels.len()), pixels) else { return Ok(None) };
        let plane = |values: ArrayView2<'_, f32>| -> Vec<f32> {
            let mut sums = vec![0.0; height * width];
            for channel in values.as_slice().unwrap_or_default().chunks_exact(sums.len().max(1)) {
                sums.iter_mut().zip(channel).for_each(|(sum, value)| *sum += value);
            }
            sums
        };
        let mut image = plane(x.view());
        for pixel in &mut image {
            *pixel /= channels as f32;
        }
        let mut split = Split { x, y: vec![label.unwrap_or_default()] };
        let tape = &mut self.tape;
        let [float, quantized] = [&self.model.network, &self.quantized].map(|net| probabilities(net, &split, tape));
        let explained = label.unwrap_or(first_max(&float));
        split.y = vec![explained];
        let settings = ExplainSettings {
            composite: self.composite.clone(),
            inputs: KeepInputs::Net,
            ..ExplainSettings::default()
        };
        let mut answer = |net: &Network, probabilities: Vec<f32>| -> Result<Answer, CoreError> {
            let relevance = explain(net, &split, &settings, tape)?.net_input.unwrap_or_default();
            Ok(Answer { class: first_max(&probabilities), probabilities, relevance: plane(relevance.view()) })
        };
        let (float, quantized) = (answer(&self.model.network, float)?, answer(&self.quantized, quantized)?);
        let difference = quantized.relevance.iter().zip(&float.relevance).map(|(q, f)| q - f).collect();
        Ok(Some(Explanation { height, width, image, label, explained, float, quantized, difference }))
    }
}

fn probabilities(net: &Network, split: &Split, tape: &mut Tape) -> Vec<f32> {
    let logits = net.forward(split.x.view(), tape, Mode::Evaluate);
    let mut shares = Array2::zeros(logits.dim());
    softmax(logits, shares.view_mut());
    shares.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quant::{Method, QuantizeSettings};
    use crate::session::Fate;

    fn session() -> Session {
        let read = |path: &str| {
            std::fs::read(format!("{}/../../assets/{path}.safetensors", env!("CARGO_MANIFEST_DIR"))).unwrap()
        };
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
        let (x, label) = (session.data.test().unwrap().x.clone(), explanation.explained);
        for (net, answer) in
            [(&session.model.network, &explanation.float), (&session.quantized, &explanation.quantized)]
        {
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
}
