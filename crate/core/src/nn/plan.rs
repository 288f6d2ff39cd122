//! From an architecture to a net: which layer reads what, which shapes follow, and whether it all fits. Everything is
//! checked before memory is taken for it.

use super::network::{Network, Node};
use super::{AvgPool2d, BatchNorm, Conv2d, Dense, Layer, MaxPool2d, NetError, Source, Window};
use crate::model::{Architecture, LayerKind, LayerSpec};

/// Parameters a net may hold: far above what trains in a page, a quarter of a gigabyte as f32.
const MOST_PARAMETERS: u128 = 1 << 26;
/// Numbers that one sample's input and activations, borders included, may take together.
const MOST_NUMBERS: u128 = 1 << 24;
/// Deeper than any net that would train here; names are looked up one by one.
const MOST_LAYERS: usize = 1 << 12;

/// A layer whose size is known and whose memory is not yet taken.
struct Plan {
    /// Shape of one sample of the output.
    shape: Vec<usize>,
    /// Numbers in its tensors.
    parameters: u128,
    /// Numbers of the output and of what it takes to compute it for one sample.
    numbers: u128,
    make: Box<dyn FnOnce() -> Layer>,
}

/// What is wrong with a layer's settings or inputs; the layer's name is added where it is known.
enum Misfit {
    Inputs { expected: &'static str },
    Shape { expected: &'static str },
    Setting { name: &'static str, got: f64, range: &'static str },
}

type Planned = Result<Plan, Misfit>;

impl Network {
    /// Builds the net of an architecture, all weights 0.
    ///
    /// # Errors
    /// Names that are taken or unknown, shapes that do not fit, settings out of range, sizes beyond every limit.
    pub fn new(architecture: &Architecture) -> Result<Self, NetError> {
        Self::within(architecture, MOST_PARAMETERS)
    }

    /// The same with at most `limit` parameters: what a file of so many numbers could fill. Checked layer by layer
    /// before memory is taken.
    pub(crate) fn within(architecture: &Architecture, limit: u128) -> Result<Self, NetError> {
        let (input, layers) = (architecture.input.clone(), architecture.layers.len());
        let limit = limit.min(MOST_PARAMETERS);
        if layers > MOST_LAYERS {
            return Err(NetError::TooManyLayers { layers, limit: MOST_LAYERS });
        }
        let numbers = product(&input).filter(|n| (1..=MOST_NUMBERS).contains(n) && !input.is_empty());
        let Some(mut numbers) = numbers else { return Err(NetError::InputShape { shape: input }) };
        let (mut nodes, mut parameters) = (Vec::with_capacity(layers), 0_u128);
        for spec in &architecture.layers {
            let inputs = inputs(&nodes, spec)?;
            let plan = plan(&input, &nodes, spec, &inputs)?;
            let name = spec.name.clone();
            parameters = plan.parameters.saturating_add(parameters);
            if parameters > limit {
                return Err(NetError::TooLarge { layer: name, parameters, limit });
            }
            numbers = plan.numbers.saturating_add(numbers);
            if numbers > MOST_NUMBERS {
                return Err(NetError::TooWide { layer: name, numbers, limit: MOST_NUMBERS });
            }
            let first_back = vec![false; inputs.len()];
            nodes.push(Node { name, layer: (plan.make)(), inputs, shape: plan.shape, first_back });
        }
        mark_first_readers(&mut nodes)?;
        match nodes.last() {
            None => Err(NetError::NoLayers),
            Some(last) if last.shape.len() != 1 => Err(NetError::Logits { shape: last.shape.clone() }),
            Some(_) => Ok(Self::of(input, nodes)),
        }
    }
}

/// What a layer reads, with its name checked.
fn inputs(nodes: &[Node], spec: &LayerSpec) -> Result<Vec<Source>, NetError> {
    let find = |name: &str| nodes.iter().position(|node| node.name == name);
    let name = &spec.name;
    if name.is_empty() || name == "input" || name.chars().any(char::is_control) || find(name).is_some() {
        return Err(NetError::Name { name: name.clone() });
    }
    let source = |input: &String| match find(input) {
        _ if input == "input" => Ok(Source::Input),
        Some(node) => Ok(Source::Node(node)),
        None => Err(NetError::UnknownInput { layer: name.clone(), input: input.clone() }),
    };
    match &spec.inputs {
        None => Ok(vec![nodes.len().checked_sub(1).map_or(Source::Input, Source::Node)]),
        Some(inputs) => inputs.iter().map(source).collect(),
    }
}

/// Each layer's output must be read by one after it. Walked back, the first reader of a node starts the sum of the
/// signals that arrive there.
fn mark_first_readers(nodes: &mut [Node]) -> Result<(), NetError> {
    let mut reached = vec![false; nodes.len()];
    if let Some(last) = reached.last_mut() {
        *last = true;
    }
    for index in (0..nodes.len()).rev() {
        let node = &mut nodes[index];
        if !reached[index] {
            return Err(NetError::Unread { layer: node.name.clone() });
        }
        for (source, first) in node.inputs.iter().zip(&mut node.first_back) {
            if let Source::Node(source) = *source {
                *first = !std::mem::replace(&mut reached[source], true);
            }
        }
    }
    Ok(())
}

fn plan(input: &[usize], nodes: &[Node], spec: &LayerSpec, inputs: &[Source]) -> Result<Plan, NetError> {
    let shapes: Vec<&[usize]> = inputs
        .iter()
        .map(|source| match *source {
            Source::Input => input,
            Source::Node(node) => &nodes[node].shape,
        })
        .collect();
    let planned = match (&spec.kind, shapes.as_slice()) {
        (LayerKind::Add {}, shapes) => add(shapes),
        (kind, [shape]) => single(kind, shape),
        _ => Err(Misfit::Inputs { expected: "exactly one input" }),
    };
    planned.map_err(|misfit| {
        let (layer, kind) = (spec.name.clone(), spec.kind.name());
        let got = shapes.first().copied().unwrap_or_default().to_vec();
        match misfit {
            Misfit::Inputs { expected } => NetError::InputCount { layer, kind, got: inputs.len(), expected },
            Misfit::Shape { expected } => NetError::Shape { layer, kind, got, expected },
            Misfit::Setting { name, got, range } => NetError::LayerSetting { layer, name, got, range },
        }
    })
}

/// A layer with one input of this shape.
fn single(kind: &LayerKind, shape: &[usize]) -> Planned {
    match *kind {
        LayerKind::Dense { units, bias } => dense(shape, units, bias),
        LayerKind::Conv2d { filters, kernel, stride, padding, groups, bias } => {
            conv2d(image(shape)?, filters, groups, Window { kernel, stride, padding }, bias)
        }
        LayerKind::BatchNorm { eps, momentum } => batch_norm(shape, eps, momentum),
        LayerKind::Relu {} => Ok(Plan::of(shape.to_vec(), || Layer::Relu)),
        LayerKind::MaxPool2d { kernel, stride } => pool(image(shape)?, kernel, stride, |window, image, positions| {
            Layer::MaxPool2d(MaxPool2d::new(window, image, positions))
        }),
        LayerKind::AvgPool2d { kernel, stride } => pool(image(shape)?, kernel, stride, |window, image, positions| {
            Layer::AvgPool2d(AvgPool2d::new(window, image, positions))
        }),
        LayerKind::GlobalAvgPool {} => {
            let [channels, height, width] = image(shape)?;
            Ok(Plan::of(vec![channels], move || Layer::AvgPool2d(AvgPool2d::global([height, width]))))
        }
        LayerKind::Flatten {} => Ok(Plan::of(vec![shape.iter().product()], || Layer::Flatten)),
        LayerKind::Add {} => add(&[shape]),
    }
}

fn dense(shape: &[usize], units: usize, bias: bool) -> Planned {
    let &[features] = shape else { return Err(Misfit::Shape { expected: "[features]: flatten it before" }) };
    at_least_one("units", units)?;
    let parameters = units as u128 * (features as u128 + u128::from(bias));
    Ok(Plan { parameters, ..Plan::of(vec![units], move || Layer::Dense(Dense::zeros(features, units, bias))) })
}

fn conv2d(image: [usize; 3], filters: usize, groups: usize, window: Window, bias: bool) -> Planned {
    let [channels, height, width] = image;
    at_least_one("filters", filters)?;
    at_least_one("groups", groups)?;
    if !channels.is_multiple_of(groups) || !filters.is_multiple_of(groups) {
        let range = "a divisor of both the filters and the channels that the layer reads";
        return Err(Misfit::Setting { name: "groups", got: groups as f64, range });
    }
    let (window, positions) = positions(window, [height, width])?;
    let within = (channels / groups) as u128;
    let taps = saturating_product([within, window.kernel[0] as u128, window.kernel[1] as u128]);
    let padded = [0, 1].map(|axis| image[axis + 1] as u128 + 2 * window.padding[axis] as u128);
    let plan = Plan::of(vec![filters, positions[0], positions[1]], move || {
        Layer::Conv2d(Conv2d::zeros(image, filters, groups, window, positions, bias))
    });
    Ok(Plan {
        parameters: (filters as u128).saturating_mul(taps.saturating_add(u128::from(bias))),
        numbers: saturating_product([within, padded[0], padded[1]]).saturating_add(plan.numbers),
        ..plan
    })
}

fn batch_norm(shape: &[usize], eps: f64, momentum: f64) -> Planned {
    let (&[channels] | &[channels, _, _]) = shape else {
        return Err(Misfit::Shape { expected: "[features] or [channels, height, width]" });
    };
    // As the f32 they will be used as.
    let (small, share) = (eps as f32, momentum as f32);
    if !(small > 0.0 && small.is_finite()) {
        return Err(Misfit::Setting { name: "eps", got: eps, range: "above 0" });
    }
    if !(0.0..=1.0).contains(&share) {
        return Err(Misfit::Setting { name: "momentum", got: momentum, range: "from 0 to 1" });
    }
    let plan = Plan::of(shape.to_vec(), move || Layer::BatchNorm(BatchNorm::new(channels, small, share)));
    Ok(Plan { parameters: 4 * channels as u128, ..plan })
}

fn pool(
    [channels, height, width]: [usize; 3],
    kernel: [usize; 2],
    stride: Option<[usize; 2]>,
    make: impl FnOnce(Window, [usize; 2], [usize; 2]) -> Layer + 'static,
) -> Planned {
    let (window, image) = (Window { kernel, stride: stride.unwrap_or(kernel), padding: [0, 0] }, [height, width]);
    let (window, positions) = positions(window, image)?;
    Ok(Plan::of(vec![channels, positions[0], positions[1]], move || make(window, image, positions)))
}

fn add(shapes: &[&[usize]]) -> Planned {
    match shapes {
        [] => Err(Misfit::Inputs { expected: "at least one input" }),
        [first, others @ ..] if others.iter().all(|shape| shape == first) => {
            Ok(Plan::of(first.to_vec(), || Layer::Add))
        }
        _ => Err(Misfit::Shape { expected: "inputs of one and the same shape" }),
    }
}

fn image(shape: &[usize]) -> Result<[usize; 3], Misfit> {
    shape.try_into().map_err(|_| Misfit::Shape { expected: "an image [channels, height, width]" })
}

/// How often a window fits, and the window with a stride that is no longer than the way: a longer one steps out of the
/// image just as well, and would overflow where offsets are computed.
fn positions(window: Window, image: [usize; 2]) -> Result<(Window, [usize; 2]), Misfit> {
    // A border as wide as the window would add positions that read nothing but zeros.
    let positions = window.positions(image).filter(|_| (0..2).all(|axis| window.padding[axis] < window.kernel[axis]));
    let positions = positions.ok_or(Misfit::Shape {
        expected: "an image that the kernel fits into; kernel and stride must be at least 1, padding below the kernel",
    })?;
    let stride = [0, 1].map(|axis| window.stride[axis].min(image[axis] + 2 * window.padding[axis]));
    Ok((Window { stride, ..window }, positions))
}

fn at_least_one(name: &'static str, got: usize) -> Result<(), Misfit> {
    if got == 0 { Err(Misfit::Setting { name, got: 0.0, range: "at least 1" }) } else { Ok(()) }
}

impl Plan {
    /// A layer without parameters.
    fn of(shape: Vec<usize>, make: impl FnOnce() -> Layer + 'static) -> Self {
        let numbers = product(&shape).unwrap_or(u128::MAX);
        Self { shape, parameters: 0, numbers, make: Box::new(make) }
    }
}

fn saturating_product(factors: [u128; 3]) -> u128 {
    factors.into_iter().fold(1, u128::saturating_mul)
}

fn product(shape: &[usize]) -> Option<u128> {
    shape.iter().try_fold(1_u128, |product, &n| product.checked_mul(n as u128))
}
#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> &'static str {
        Network::new(&Architecture::from_json(text).unwrap()).unwrap_err().code()
    }

    #[test]
    fn graphs_that_cannot_run_are_refused() {
        let layers = |input: &str, layers: &str| format!(r#"{{"input": {input}, "layers": [{layers}]}}"#);
        let dense = r#"{"name": "a", "kind": "dense", "units": 2}"#;
        assert_eq!(code(&layers("[4]", "")), "net/graph");
        assert_eq!(code(&layers("[]", dense)), "net/graph");
        assert_eq!(code(&layers("[4, 0]", dense)), "net/graph");
        assert_eq!(code(&layers("[4]", &format!("{dense}, {dense}"))), "net/graph");
        assert_eq!(code(&layers("[4]", r#"{"name": "input", "kind": "relu"}"#)), "net/graph");
        assert_eq!(code(&layers("[4]", r#"{"name": "a", "kind": "relu", "inputs": ["b"]}"#)), "net/graph");
        assert_eq!(code(&layers("[4]", r#"{"name": "a", "kind": "relu", "inputs": ["a"]}"#)), "net/graph");
        assert_eq!(code(&layers("[4]", r#"{"name": "a", "kind": "relu", "inputs": []}"#)), "net/graph");
        assert_eq!(
            code(&layers(
                "[4]",
                &format!(
                    r#"{{"name": "b", "kind": "relu"}}, {dense}, {{"name": "c", "kind": "relu", "inputs": ["b"]}}"#
                )
            )),
            "net/graph"
        );
        assert_eq!(code(&layers("[1, 2, 2]", dense)), "net/shape");
        assert_eq!(code(&layers("[1, 2, 2]", r#"{"name": "a", "kind": "relu"}"#)), "net/shape");
        assert_eq!(code(&layers("[4]", r#"{"name": "a", "kind": "dense", "units": 0}"#)), "net/setting");
        assert_eq!(code(&layers("[99999]", r#"{"name": "a", "kind": "dense", "units": 99999}"#)), "net/too-large");
        assert_eq!(code(&layers("[4]", r#"{"name": "a\nb", "kind": "relu"}"#)), "net/graph");
        let huge = r#"{"name": "a", "kind": "dense", "units": 18446744073709551615}"#;
        assert_eq!(code(&layers("[4]", huge)), "net/too-large");
        let many =
            |n, layer: &dyn Fn(usize) -> String| layers("[9000]", &(0..n).map(layer).collect::<Vec<_>>().join(","));
        let relu = |i| format!(r#"{{"name": "r{i}", "kind": "relu"}}"#);
        assert_eq!(code(&many(3000, &relu)), "net/too-large", "activations");
        assert_eq!(code(&many(5000, &relu)), "net/too-large", "layers");
        let wide = |i| format!(r#"{{"name": "d{i}", "kind": "dense", "units": 7000}}"#);
        assert_eq!(code(&many(2, &wide)), "net/too-large", "each fits, both do not");
        let conv = |kernel: u64, padding: u64| {
            let kind =
                format!(r#""conv2d", "filters": 1, "kernel": [{kernel}, {kernel}], "padding": [{padding}, {padding}]"#);
            layers("[16, 2, 2]", &format!(r#"{{"name": "c", "kind": {kind}}}"#))
        };
        assert_eq!(code(&conv(1 << 62, (1 << 61) - 1)), "net/too-large", "products beyond 2^128");
        assert_eq!(code(&conv(3, 0)), "net/shape");
        assert_eq!(code(&conv(3, 3)), "net/shape");
        let pool = r#"{"name": "p", "kind": "max_pool2d", "kernel": [2, 2], "stride": [4611686018427387904, 3]}"#;
        let flat = format!(r#"{pool}, {{"name": "f", "kind": "flatten"}}"#);
        let network = Network::new(&Architecture::from_json(&layers("[1, 4, 4]", &flat)).unwrap()).unwrap();
        let (x, mut tape) = (ndarray::Array2::ones((1, 16)), crate::nn::Tape::new(&network, 1));
        assert_eq!(network.forward(x.view(), &mut tape, crate::nn::Mode::Evaluate), ndarray::array![[1.0]]);
    }
}
