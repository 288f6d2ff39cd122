//! What happens at each node of a net, from a composite: decided once, before anything is computed.

use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::composite::{FIRST, FIRST_CONVOLUTION, Place};
use super::rules::{Epsilon, Reach, Rule};
use super::{Composite, LrpError};
use crate::nn::{Layer, Network, Source};

/// What relevance does at batch norm, unless the composite names it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BatchNormMode {
    /// As the published code does under this name: its merging has no effect, so this is [`Self::Pass`] (the vectors
    /// `*-bn-merge-*` and `*-bn-pass-*` agree in every bit). See [`Self::Fold`].
    Merge,
    /// It goes on as it is.
    #[default]
    Pass,
    /// It is shared as by an affine layer, with the convolution's rule.
    Rule,
    /// It is folded into the dense or convolution layer before it, where no other layer reads that one; else passed.
    Fold,
}

impl BatchNormMode {
    const ALL: [Self; 4] = [Self::Merge, Self::Pass, Self::Rule, Self::Fold];

    /// As people write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Merge => "merge",
            Self::Pass => "pass",
            Self::Rule => "rule",
            Self::Fold => "fold",
        }
    }
}

impl FromStr for BatchNormMode {
    type Err = LrpError;

    fn from_str(name: &str) -> Result<Self, LrpError> {
        let found = Self::ALL.into_iter().find(|own| own.name() == name);
        found.ok_or_else(|| LrpError::UnknownBatchNorm { name: name.into() })
    }
}

/// What happens at one node.
#[derive(Debug, Clone)]
pub(super) enum How {
    /// An affine layer with its rule, and the node of the batch norm that is folded into it.
    Rule(Arc<dyn Rule>, Option<usize>),
    /// A sum with fixed weights, shared by contribution.
    Sums(Epsilon),
    /// Each output has one input.
    Pass,
    /// The winner takes all, as the gradient does.
    Winner,
}

/// By node; it holds for every net of this architecture.
pub(super) fn plan(network: &Network, composite: &Composite, mode: BatchNormMode) -> Result<Vec<How>, LrpError> {
    let nodes = network.nodes();
    let names = || nodes.iter().map(|node| node.name.as_str()).collect::<Vec<_>>();
    if let Some(place) = composite.unknown_place(&names()) {
        return Err(LrpError::UnknownPlace { place: place.into(), known: Composite::known_places(&names()) });
    }
    let first = nodes.iter().position(|node| node.layer.affine().is_some());
    let first_convolution = nodes.iter().position(|node| matches!(node.layer, Layer::Conv2d(_)));
    let mut plan = Vec::with_capacity(nodes.len());
    for (index, node) in nodes.iter().enumerate() {
        let rule = composite.at(&node.name);
        let rule = rule.or_else(|| composite.at(FIRST).filter(|_| first == Some(index)));
        let rule = rule.or_else(|| composite.at(FIRST_CONVOLUTION).filter(|_| first_convolution == Some(index)));
        let rule = rule.or_else(|| composite.at(node.layer.kind()));
        let misplaced = |place: &Place, possible| LrpError::Misplaced {
            rule: place.text.clone(),
            layer: node.name.clone(),
            kind: node.layer.kind(),
            possible,
        };
        let how = match (&node.layer, rule) {
            (Layer::Dense(_) | Layer::Conv2d(_), rule) => {
                if let Some(place) = rule.filter(|place| place.rule.reach() == Reach::Single) {
                    return Err(misplaced(place, "any rule but pass"));
                }
                How::Rule(rule.map_or_else(Composite::fallback, |place| Arc::clone(&place.rule)), None)
            }
            (Layer::BatchNorm(_), Some(place)) => How::Rule(Arc::clone(&place.rule), None),
            (Layer::BatchNorm(_), None) => match mode {
                BatchNormMode::Pass | BatchNormMode::Merge => How::Pass,
                BatchNormMode::Rule => How::Rule(
                    composite.at("conv2d").map_or_else(Composite::fallback, |place| Arc::clone(&place.rule)),
                    None,
                ),
                BatchNormMode::Fold => {
                    if let Some(How::Rule(_, folded)) = before(network, index).and_then(|node| plan.get_mut(node)) {
                        *folded = Some(index);
                    }
                    How::Pass
                }
            },
            (Layer::AvgPool2d(_) | Layer::Add, None) => How::Sums(Epsilon::DEFAULT),
            (Layer::AvgPool2d(_) | Layer::Add, Some(place)) => match place.rule.reach() {
                Reach::Sums(epsilon) => How::Sums(epsilon),
                _ => return Err(misplaced(place, "norm or epsilon(e)")),
            },
            (_, Some(place)) if place.rule.reach() != Reach::Single => return Err(misplaced(place, "pass")),
            (Layer::MaxPool2d(_), _) => How::Winner,
            (Layer::Relu | Layer::Flatten, _) => How::Pass,
        };
        plan.push(how);
    }
    Ok(plan)
}

/// The dense or convolution layer that this node alone reads.
fn before(network: &Network, index: usize) -> Option<usize> {
    let nodes = network.nodes();
    let &[Source::Node(source)] = nodes.get(index)?.inputs.as_slice() else { return None };
    let readers = nodes.iter().flat_map(|node| &node.inputs).filter(|input| **input == Source::Node(source));
    (nodes[source].layer.affine().is_some() && readers.count() == 1).then_some(source)
}
