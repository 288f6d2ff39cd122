//! The charts on the page: plain arrays and a theme in, pixels out. Knows no model.
//!
//! Each chart is one file whose `draw` is generic over the backend: the page draws on a canvas, the tests draw SVG.
//! Read `types.ts` for what the page passes, `theme.rs` for units, `pen.rs` for how marks are made.
//!
//! Units: the backing store of the canvas is css size × dpr (set by the page), its context is unscaled, and the theme
//! multiplies every length by dpr. This rests on plotters-canvas 0.3.1, whose `get_size` is the backing store.

pub mod accuracy;
mod axis;
pub mod cost;
pub mod error;
pub mod heatmap;
pub mod occupancy;
mod pen;
mod rulers;
pub mod scale;
pub mod scatter;
mod slots;
pub mod sparsity;
pub mod theme;

use plotters::backend::DrawingBackend;
use plotters::coord::Shift;
use plotters::drawing::{DrawingArea, IntoDrawingArea};
use plotters_canvas::CanvasBackend;
use serde::de::DeserializeOwned;
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};
use web_sys::HtmlCanvasElement;

use cost::Costs;
use error::ChartError;
use scatter::Scatter;
use theme::{Theme, ThemeInput};

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = include_str!("types.ts");

/// Draws the occupancy of one layer's clusters.
///
/// Returns hover zones, four numbers per cluster: x0, y0, x1, y1 in CSS pixels; none where the canvas is too small.
///
/// # Errors
/// A JS `Error` whose `name` is the code of a [`ChartError`].
#[wasm_bindgen(js_name = drawOccupancy)]
pub fn draw_occupancy(
    canvas: HtmlCanvasElement,
    #[wasm_bindgen(unchecked_param_type = "OccupancyChart")] data: JsValue,
    #[wasm_bindgen(unchecked_param_type = "ChartTheme")] theme: JsValue,
) -> Result<Vec<f32>, JsValue> {
    on_canvas(canvas, from_js("data", data), theme, occupancy::draw)
}

/// Draws the sparsity of each layer. Returns hover zones as `drawOccupancy` does, one per layer.
///
/// # Errors
/// A JS `Error` whose `name` is the code of a [`ChartError`].
#[wasm_bindgen(js_name = drawSparsity)]
pub fn draw_sparsity(
    canvas: HtmlCanvasElement,
    #[wasm_bindgen(unchecked_param_type = "SparsityChart")] data: JsValue,
    #[wasm_bindgen(unchecked_param_type = "ChartTheme")] theme: JsValue,
) -> Result<Vec<f32>, JsValue> {
    on_canvas(canvas, from_js("data", data), theme, sparsity::draw)
}

/// Draws the accuracy along one control. Returns hover zones as `drawOccupancy` does: the trail's points in order of
/// visit, then the current point.
///
/// # Errors
/// A JS `Error` whose `name` is the code of a [`ChartError`].
#[wasm_bindgen(js_name = drawAccuracy)]
pub fn draw_accuracy(
    canvas: HtmlCanvasElement,
    #[wasm_bindgen(unchecked_param_type = "AccuracyChart")] data: JsValue,
    #[wasm_bindgen(unchecked_param_type = "ChartTheme")] theme: JsValue,
) -> Result<Vec<f32>, JsValue> {
    on_canvas(canvas, from_js("data", data), theme, accuracy::draw)
}

/// Draws a map of pixels. Returns hover zones as `drawOccupancy` does, one per pixel.
///
/// # Errors
/// A JS `Error` whose `name` is the code of a [`ChartError`].
#[wasm_bindgen(js_name = drawHeatmap)]
pub fn draw_heatmap(
    canvas: HtmlCanvasElement,
    #[wasm_bindgen(unchecked_param_type = "Heatmap")] data: JsValue,
    #[wasm_bindgen(unchecked_param_type = "ChartTheme")] theme: JsValue,
) -> Result<Vec<f32>, JsValue> {
    on_canvas(canvas, from_js("data", data), theme, heatmap::draw)
}

/// Draws what each cluster of a layer costs a weight, over the weights' values. The weights come as a typed array:
/// there may be a hundred thousand of them.
///
/// # Errors
/// A JS `Error` whose `name` is the code of a [`ChartError`].
#[wasm_bindgen(js_name = drawCost)]
pub fn draw_cost(
    canvas: HtmlCanvasElement,
    #[wasm_bindgen(unchecked_param_type = "CostChart")] data: JsValue,
    weights: &[f32],
    #[wasm_bindgen(unchecked_param_type = "ChartTheme")] theme: JsValue,
) -> Result<(), JsValue> {
    let weights = weights.iter().copied().map(f64::from).collect();
    let data = from_js::<Costs>("data", data).map(|data| Costs { weights, ..data });
    on_canvas(canvas, data, theme, cost::draw).map(drop)
}

/// Draws the weights of a layer by their value (weight units), relevance (0 to 1) and fate (0 kept, 1 zeroed, 2 saved by
/// relevance, 3 given up). Typed arrays instead of an object: there may be a hundred thousand of them. Returns hover
/// zones as `drawOccupancy` does, one per weight.
///
/// # Errors
/// A JS `Error` whose `name` is the code of a [`ChartError`].
#[wasm_bindgen(js_name = drawScatter)]
pub fn draw_scatter(
    canvas: HtmlCanvasElement,
    values: &[f32],
    relevances: &[f32],
    fates: &[u8],
    #[wasm_bindgen(unchecked_param_type = "ChartTheme")] theme: JsValue,
) -> Result<Vec<f32>, JsValue> {
    let wide = |values: &[f32]| values.iter().copied().map(f64::from).collect();
    let data = Scatter { values: wide(values), relevances: wide(relevances), fates: fates.to_vec() };
    on_canvas(canvas, Ok(data), theme, scatter::draw)
}

/// A chart's drawing function on the canvas.
type Draw<T> = fn(&DrawingArea<CanvasBackend, Shift>, &T, &Theme) -> Result<Vec<[f32; 4]>, ChartError>;

/// Checks, draws, and lays the zones out flat.
fn on_canvas<T>(
    canvas: HtmlCanvasElement,
    data: Result<T, ChartError>,
    theme: JsValue,
    draw: Draw<T>,
) -> Result<Vec<f32>, JsValue> {
    let zones = || {
        let theme = Theme::new(&from_js::<ThemeInput>("theme", theme)?)?;
        let data = data?;
        let backend = CanvasBackend::with_canvas_object(canvas).ok_or(ChartError::Canvas)?;
        draw(&area(backend), &data, &theme)
    };
    zones().map(|zones| zones.concat()).map_err(|error| into_js(&error))
}

fn area<B: DrawingBackend>(backend: B) -> DrawingArea<B, Shift> {
    backend.into_drawing_area()
}

fn from_js<T: DeserializeOwned>(what: &'static str, value: JsValue) -> Result<T, ChartError> {
    serde_wasm_bindgen::from_value(value).map_err(|error| {
        let reason = error.to_string().trim_start_matches("Error: ").to_owned();
        ChartError::Malformed { what, reason }
    })
}

fn into_js(error: &ChartError) -> JsValue {
    let js = js_sys::Error::new(&error.to_string());
    js.set_name(error.code());
    js.into()
}
