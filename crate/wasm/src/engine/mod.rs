//! The engine module: a thin skin over the core's session. Convert, call, convert; nothing is computed here.

mod panic;

use ecqx_core::CoreError;
use ecqx_core::session::Session as CoreSession;
use js_sys::{Array, Float32Array, Float64Array, Object, Reflect, Uint8Array};
use serde::Serialize;
use serde::de::DeserializeOwned;
use wasm_bindgen::prelude::*;

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = include_str!("types.ts");

/// A loaded net. It owns every array; JavaScript holds this handle and calls `free()`.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Session(CoreSession);

#[wasm_bindgen]
impl Session {
    /// Reads a model and a dataset (safetensors). The bytes are copied in once; the caller keeps its buffers.
    ///
    /// # Errors
    /// A JS `Error` whose `name` is the core's stable code.
    #[wasm_bindgen(constructor)]
    pub fn new(model: &[u8], dataset: &[u8]) -> Result<Self, JsValue> {
        panic::keep_text();
        CoreSession::from_bytes(model, dataset).map(Self).map_err(|error| to_js_error(&error))
    }

    /// What was loaded.
    ///
    /// # Errors
    /// Only where the report cannot be converted.
    #[wasm_bindgen(unchecked_return_type = "ModelReport")]
    pub fn describe(&self) -> Result<JsValue, JsValue> {
        to_js(&self.0.describe())
    }

    /// Quantizes the float net anew; bad settings change nothing.
    ///
    /// # Errors
    /// Settings that are missing, of another type or out of range.
    #[wasm_bindgen(unchecked_return_type = "QuantizeReport")]
    pub fn quantize(
        &mut self,
        #[wasm_bindgen(unchecked_param_type = "QuantizeSettings")] settings: JsValue,
    ) -> Result<JsValue, JsValue> {
        let settings = from_js(settings, "settings/type")?;
        to_js(&self.0.quantize(settings).map_err(|error| to_js_error(&error))?)
    }

    /// Measures the relevance of all weights anew, by the composite of this name.
    ///
    /// # Errors
    /// An unknown name, or relevance that overflows; the last composite then stays.
    #[wasm_bindgen(js_name = setComposite)]
    pub fn set_composite(
        &mut self,
        #[wasm_bindgen(unchecked_param_type = "CompositeName")] name: &str,
    ) -> Result<(), JsValue> {
        self.0.set_composite(name).map_err(|error| to_js_error(&error))
    }

    /// Each weight of a layer, its relevance and what became of it in the last `quantize`.
    ///
    /// # Errors
    /// A layer that is not quantized.
    #[wasm_bindgen(unchecked_return_type = "LayerWeights")]
    pub fn weights(&self, layer: &str) -> Result<JsValue, JsValue> {
        let weights = self.0.weights(layer).map_err(|error| to_js_error(&error))?;
        let factors = weights.factors.map(|factors| Float64Array::from(&factors[..]));
        let fields: [(&str, JsValue); 5] = [
            ("layer", weights.layer.into()),
            ("values", Float32Array::from(weights.values.as_slice()).into()),
            ("relevances", Float32Array::from(weights.relevances.as_slice()).into()),
            ("fates", Uint8Array::from(weights.fates.as_slice()).into()),
            ("factors", factors.map_or(JsValue::NULL, |factors| Array::from(&factors).into())),
        ];
        let object = Object::new();
        for (name, value) in fields {
            Reflect::set(&object, &name.into(), &value)?;
        }
        Ok(object.into())
    }

    /// What each cluster costs one weight of a layer, and which it got in the last `quantize`.
    ///
    /// # Errors
    /// A layer that is not quantized, a weight beyond its last.
    #[wasm_bindgen(unchecked_return_type = "WeightCosts")]
    pub fn weight(&self, layer: &str, position: usize) -> Result<JsValue, JsValue> {
        to_js(&self.0.weight(layer, position).map_err(|error| to_js_error(&error))?)
    }

    /// What the float and the last quantized net make of an image of the test set, and why; `null` where the net's
    /// input is no image.
    ///
    /// # Errors
    /// An image beyond the last.
    #[wasm_bindgen(js_name = explainTest, unchecked_return_type = "Explanation | null")]
    pub fn explain_test(&mut self, index: usize) -> Result<JsValue, JsValue> {
        to_js(&self.0.explain_test(index).map_err(|error| to_js_error(&error))?)
    }

    /// The same for an image of one's own: as many numbers as the net reads, in the dataset's units.
    ///
    /// # Errors
    /// Another number of pixels, or values that are no numbers.
    #[wasm_bindgen(js_name = explainImage, unchecked_return_type = "Explanation | null")]
    pub fn explain_image(&mut self, pixels: &[f32]) -> Result<JsValue, JsValue> {
        to_js(&self.0.explain_image(pixels).map_err(|error| to_js_error(&error))?)
    }

    /// Evaluates the net of the last `quantize` on the test set.
    ///
    /// # Errors
    /// Where a logit is not finite.
    #[wasm_bindgen(unchecked_return_type = "Evaluation")]
    pub fn evaluate(&mut self) -> Result<JsValue, JsValue> {
        to_js(&self.0.evaluate().map_err(|error| to_js_error(&error))?)
    }
}

/// Reports become plain objects; what is absent becomes `null`, as in the command's JSON.
fn to_js(report: &impl Serialize) -> Result<JsValue, JsValue> {
    let serializer = serde_wasm_bindgen::Serializer::json_compatible();
    report.serialize(&serializer).map_err(|error| named_error("engine/report", &error.to_string()))
}

fn from_js<T: DeserializeOwned>(value: JsValue, code: &str) -> Result<T, JsValue> {
    serde_wasm_bindgen::from_value(value).map_err(|error| named_error(code, &error.to_string()))
}

fn to_js_error(error: &CoreError) -> JsValue {
    named_error(error.code(), &error.to_string())
}

fn named_error(code: &str, text: &str) -> JsValue {
    let error = js_sys::Error::new(text);
    error.set_name(code);
    error.into()
}
