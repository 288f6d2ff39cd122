//! A whole net: every layer with a weight gets its codebook and its assignment, again and again with other settings,
//! relevances or weights.

use super::settings::LayerChoice;
use super::{Assignment, Codebook, LayerInput, QuantError, QuantizeReport, QuantizeSettings, UnitRelevance, Workspace};
use crate::nn::Network;

/// Quantizes a net, and keeps for each layer what the next call can use.
#[derive(Debug)]
pub struct NetQuantizer {
    layers: Vec<Layer>,
    /// Those of the last assignment, which need not be checked again.
    settings: Option<QuantizeSettings>,
}

/// One layer with a weight, and its memory.
#[derive(Debug)]
struct Layer {
    node: usize,
    name: String,
    relevance: Option<UnitRelevance>,
    /// With its bit width.
    codebook: Option<(u8, Codebook)>,
    work: Workspace,
    /// That of the last assignment; `None` where the layer is excluded.
    choice: Option<LayerChoice>,
}

/// One quantized layer, as it was assigned last.
#[derive(Debug, Clone, Copy)]
pub struct QuantizedLayer<'a> {
    /// Position in the net.
    pub node: usize,
    /// The layer's name.
    pub name: &'a str,
    /// Bit width.
    pub bits: u8,
    /// λ.
    pub lambda: f64,
    /// Of its weights, where it was set.
    pub relevance: Option<&'a UnitRelevance>,
    /// Its centroids.
    pub codebook: &'a Codebook,
    /// Which weight got which.
    pub assignment: &'a Assignment,
}

impl NetQuantizer {
    /// For nets like this one: the same layers by position, with other weights as they may be.
    ///
    /// # Errors
    /// A net without weights.
    pub fn new(network: &Network) -> Result<Self, QuantError> {
        let layer = |(node, _): (usize, &[f32])| Layer {
            node,
            name: network.nodes().get(node).map_or_else(String::new, |node| node.name.clone()),
            relevance: None,
            codebook: None,
            work: Workspace::default(),
            choice: None,
        };
        let layers: Vec<Layer> = network.weights().map(layer).collect();
        if layers.is_empty() { Err(QuantError::NoLayers) } else { Ok(Self { layers, settings: None }) }
    }

    /// The relevances of a node's weights, signed, in their layout; they hold until they are set again.
    ///
    /// # Errors
    /// Relevances that are not finite.
    pub fn set_relevance(&mut self, node: usize, relevance: &[f32]) -> Result<(), QuantError> {
        for layer in self.layers.iter_mut().filter(|layer| layer.node == node) {
            layer.relevance.get_or_insert_default().update(&layer.name, relevance)?;
            layer.work.relevance_changed();
        }
        Ok(())
    }

    /// The net's weights are no longer those of the last assignment. Codebooks stay: training keeps the first ones.
    pub fn weights_changed(&mut self) {
        self.layers.iter_mut().for_each(|layer| layer.work.weights_changed());
    }

    /// The codebooks that were made so far, with node and bit width, also of layers that are excluded now.
    pub(crate) fn codebooks(&self) -> impl Iterator<Item = (usize, u8, &Codebook)> {
        self.layers.iter().filter_map(|layer| layer.codebook.as_ref().map(|(bits, book)| (layer.node, *bits, book)))
    }

    /// Gives a node's weights a codebook that was made before.
    pub(crate) fn set_codebook(&mut self, node: usize, bits: u8, codebook: Codebook) {
        if let Some(layer) = self.layers.iter_mut().find(|layer| layer.node == node) {
            layer.codebook = Some((bits, codebook));
        }
    }

    /// Assigns the weights of every layer that is not excluded. A codebook is made from the weights where the bit width
    /// is new. With the settings of the call before, nothing is allocated.
    ///
    /// # Errors
    /// Settings out of range or for layers that are not there, weights that are not finite, missing relevance where the
    /// method needs it.
    pub fn assign(&mut self, network: &Network, settings: &QuantizeSettings) -> Result<(), QuantError> {
        if self.settings.as_ref() != Some(settings) {
            self.choose(settings)?;
        }
        let chosen = network.weights().zip(&self.layers).filter(|(_, layer)| layer.choice.is_some());
        let largest = chosen.map(|((_, weights), _)| weights.len()).max().unwrap_or_default();
        for (layer, (_, weights)) in self.layers.iter_mut().zip(network.weights()) {
            layer.assign(weights, largest)?;
        }
        Ok(())
    }

    /// Takes over settings, checked for every layer; [`Self::assign`] does so by itself.
    ///
    /// # Errors
    /// Settings out of range or for layers that are not there.
    pub(crate) fn choose(&mut self, settings: &QuantizeSettings) -> Result<(), QuantError> {
        settings.quantizer()?; // also where every layer has settings of its own
        self.expect_layers(settings)?;
        let choices = self.layers.iter().map(|layer| settings.of_layer(&layer.name));
        let choices = choices.collect::<Result<Vec<_>, _>>()?;
        if choices.iter().all(Option::is_none) {
            return Err(QuantError::AllExcluded);
        }
        for (layer, choice) in self.layers.iter_mut().zip(choices) {
            layer.choice = choice;
        }
        self.settings = Some(settings.clone());
        Ok(())
    }

    /// Each layer with settings of its own is there, and named once.
    fn expect_layers(&self, settings: &QuantizeSettings) -> Result<(), QuantError> {
        for (index, own) in settings.layers.iter().enumerate() {
            let name = own.name.clone();
            if !self.layers.iter().any(|layer| layer.name == name) {
                let known: Vec<&str> = self.layers.iter().map(|layer| layer.name.as_str()).collect();
                return Err(QuantError::UnknownLayer { name, known: known.join(", ") });
            }
            if settings.layers.iter().take(index).any(|other| other.name == name) {
                return Err(QuantError::LayerTwice { name });
            }
        }
        Ok(())
    }

    /// The quantized layers, in the net's order.
    pub fn layers(&self) -> impl Iterator<Item = QuantizedLayer<'_>> {
        self.layers.iter().filter_map(|layer| {
            let (Some(choice), Some((bits, codebook))) = (&layer.choice, &layer.codebook) else { return None };
            let (node, name, bits, lambda) = (layer.node, layer.name.as_str(), *bits, choice.lambda);
            let relevance = layer.relevance.as_ref();
            Some(QuantizedLayer { node, name, bits, lambda, relevance, codebook, assignment: layer.work.assignment() })
        })
    }

    /// Writes the centroids into the weights of `network`, the one that was quantized or a copy of it.
    pub fn write_into(&self, network: &mut Network) {
        for layer in self.layers() {
            if let Some(weights) = network.weight_mut(layer.node) {
                layer.codebook.write(&layer.assignment.clusters, weights);
            }
        }
    }

    /// What came of it, in numbers.
    pub fn report(&self, settings: QuantizeSettings) -> QuantizeReport {
        QuantizeReport::new(settings, self.layers().map(Into::into).collect())
    }
}

impl Layer {
    fn assign(&mut self, weights: &[f32], largest: usize) -> Result<(), QuantError> {
        let Some(choice) = &self.choice else { return Ok(()) };
        let kept = self.codebook.take().filter(|(bits, _)| *bits == choice.bits);
        let (_, codebook) = match kept {
            Some(kept) => self.codebook.insert(kept),
            None => self.codebook.insert((choice.bits, Codebook::uniform(&self.name, weights, choice.bits)?)),
        };
        let input = LayerInput::new(&self.name, weights, self.relevance.as_ref(), codebook, largest)?;
        choice.quantizer.assign(&input, &mut self.work)
    }
}
