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
