//! An architecture in as few characters as its JSON allows: without what is usual.

use serde::Serialize;

use crate::model::{Architecture, LayerKind, LayerSpec};

#[derive(Debug, Serialize)]
struct Brief<'a> {
    input: &'a [usize],
    layers: Vec<Layer<'a>>,
}

#[derive(Debug, Default, Serialize)]
struct Layer<'a> {
    name: &'a str,
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    units: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    filters: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kernel: Option<[usize; 2]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stride: Option<[usize; 2]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    padding: Option<[usize; 2]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    groups: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bias: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    eps: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    momentum: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    inputs: Option<&'a [String]>,
}

/// What has to be said.
fn unusual<T: PartialEq>(value: T, usual: T) -> Option<T> {
    (value != usual).then_some(value)
}

impl<'a> Layer<'a> {
    fn of(spec: &'a LayerSpec) -> Self {
        let LayerSpec { name, kind, inputs } = spec;
        let start = Self { name, kind: kind.name(), inputs: inputs.as_deref(), ..Self::default() };
        match *kind {
            LayerKind::Dense { units, bias } => Self { units: Some(units), bias: unusual(bias, true), ..start },
            LayerKind::Conv2d { filters, kernel, stride, padding, groups, bias } => Self {
                filters: Some(filters),
                kernel: Some(kernel),
                stride: unusual(stride, [1, 1]),
                padding: unusual(padding, [0, 0]),
                groups: unusual(groups, 1),
                bias: unusual(bias, true),
                ..start
            },
            LayerKind::BatchNorm { eps, momentum } => {
                Self { eps: unusual(eps, 1e-5), momentum: unusual(momentum, 0.1), ..start }
            }
            LayerKind::MaxPool2d { kernel, stride } | LayerKind::AvgPool2d { kernel, stride } => {
                Self { kernel: Some(kernel), stride, ..start }
            }
            LayerKind::Relu {} | LayerKind::GlobalAvgPool {} | LayerKind::Flatten {} | LayerKind::Add {} => start,
        }
    }
}

/// JSON that [`Architecture::from_json`] reads as the same.
pub(super) fn to_json(architecture: &Architecture) -> String {
    let brief = Brief { input: &architecture.input, layers: architecture.layers.iter().map(Layer::of).collect() };
    // Strings and numbers always serialise; an empty text would be refused by every reader.
    serde_json::to_string(&brief).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_the_usual_is_left_out() {
        let brief = concat!(
            r#"{"input":[3,8,8],"layers":[{"name":"a","kind":"conv2d","filters":4,"kernel":[3,3]},"#,
            r#"{"name":"b","kind":"conv2d","filters":4,"kernel":[3,1],"stride":[2,1],"padding":[1,0],"groups":2,"bias":false},"#,
            r#"{"name":"c","kind":"batch_norm"},{"name":"d","kind":"batch_norm","eps":0.001,"momentum":0.5},"#,
            r#"{"name":"e","kind":"max_pool2d","kernel":[2,2]},{"name":"f","kind":"avg_pool2d","kernel":[2,2],"stride":[2,2]},"#,
            r#"{"name":"g","kind":"add","inputs":["e","f"]},{"name":"h","kind":"relu"},{"name":"i","kind":"flatten"},"#,
            r#"{"name":"j","kind":"dense","units":2},{"name":"k","kind":"dense","units":2,"bias":false}]}"#
        );
        let architecture = Architecture::from_json(brief).unwrap();
        assert_eq!(to_json(&architecture), brief);
        assert_eq!(Architecture::from_json(&architecture.to_json()).unwrap(), architecture);
    }
}
