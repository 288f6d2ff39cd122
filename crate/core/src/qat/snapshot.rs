//! A training as bytes, to be taken up again: what follows is the same, in every bit, as without the stop.
//!
//! A safetensors file. Metadata: `format` = `ecqx-qat`, `version` = `1`, `state` (JSON: settings, order, progress,
//! codebooks, the last report, the best epoch, history, steps of the optimizers), `checksum` (FNV-1a of the file without
//! it). Tensors:
//!
//! | name | what |
//! | --- | --- |
//! | `bits` i64 | the floats of `state`, see `exact` |
//! | `order` i64 \[samples\] | of this epoch |
//! | `latent.<tensor>` | all tensors of the net, its weights latent |
//! | `quantized.<layer>.weight` | what the net carries |
//! | `relevance.<layer>.weight` | the running mean, from the first relevance on |
//! | `adam.{weights,others,carried}.{mean,square}.<parameter>` | of parameters that were stepped |
//! | `best.latent.<tensor>`, `best.quantized.<layer>.weight` | after the best epoch, if one is over |

use serde::{Deserialize, Serialize};

use super::trainer::{Best, Progress, start};
use super::{EpochReport, History, Order, QatError, QatNet, QatSettings, QatTrainer, Summary, exact};
use crate::CoreError;
use crate::data::Split;
use crate::lrp::RelevanceMean;
use crate::nn::{Moments, Network};
use crate::quant::{Codebook, QuantizeReport};
use crate::tensors::{Tensor, TensorData, TensorError, TensorFile};

const FORMAT: &str = "ecqx-qat";
const OPTIMIZERS: [&str; 3] = ["weights", "others", "carried"];
/// Counters that a training can reach: far from overflow.
const MOST: u64 = 1 << 53;

#[derive(Serialize, Deserialize)]
struct State {
    settings: QatSettings,
    order: Order,
    progress: Progress,
    /// Samples of this epoch that are through, and how often they were shuffled.
    next: usize,
    shuffles: u64,
    codebooks: Vec<Grid>,
    summary: Summary,
    report: QuantizeReport,
    best: Option<(EpochReport, QuantizeReport)>,
    history: History,
    /// By optimizer and parameter.
    adam_steps: [Vec<u32>; 3],
}

/// A codebook in numbers.
#[derive(Serialize, Deserialize)]
struct Grid {
    node: usize,
    bits: u8,
    zero: u8,
    step_size: f32,
}

fn damaged(reason: impl Into<String>) -> CoreError {
    QatError::Snapshot { reason: reason.into() }.into()
}

fn of_tensor(error: TensorError) -> CoreError {
    damaged(error.to_string())
}

impl QatTrainer {
    /// Everything that the further training depends on, and what it came through.
    pub fn snapshot(&self) -> Vec<u8> {
        let (order, next, shuffles) = self.batches.position();
        let net = &self.net;
        let grid = |(node, bits, book): (usize, u8, &Codebook)| Grid {
            node,
            bits,
            zero: book.zero() as u8,
            step_size: book.step_size(),
        };
        let state = State {
            settings: self.settings.clone(),
            order: self.order,
            progress: self.progress,
            next,
            shuffles,
            codebooks: net.quantizer.codebooks().map(grid).collect(),
            summary: net.summary,
            report: self.report(),
            best: self.best.as_ref().map(|best| (best.epoch, best.report.clone())),
            history: self.history.clone(),
            adam_steps: net.optimizers.all().map(|adam| adam.state().iter().map(|moments| moments.steps).collect()),
        };
        let (state, bits) = exact::pack(&state);
        let integers = |name: &str, values: Vec<i64>| Tensor {
            name: name.into(),
            shape: vec![values.len()],
            data: TensorData::I64(values),
        };
        let mut tensors = vec![
            integers("bits", bits),
            integers("order", order.iter().map(|&sample| i64::try_from(sample).unwrap_or(i64::MAX)).collect()),
        ];
        push_net(&mut tensors, "", &net.latent, &net.quantized);
        for (node, values) in net.mean.weights() {
            let name = net.latent.nodes().get(*node).map(|node| node.name.as_str()).unwrap_or_default();
            tensors.push(Tensor::f32(format!("relevance.{name}.weight"), &[values.len()], values.clone()));
        }
        for (optimizer, adam) in OPTIMIZERS.iter().zip(net.optimizers.all()) {
            for (parameter, moments) in net.latent.parameters().zip(adam.state()).filter(|(_, own)| own.steps > 0) {
                for (what, values) in [("mean", &moments.mean), ("square", &moments.square)] {
                    let name = format!("adam.{optimizer}.{what}.{}", parameter.name);
                    tensors.push(Tensor::f32(name, &parameter.shape, values.clone()));
                }
            }
        }
        if let Some(best) = &self.best {
            push_net(&mut tensors, "best.", &best.latent, &best.quantized);
        }
        let metadata = [("format", FORMAT.to_owned()), ("version", "1".to_owned()), ("state", state)];
        let mut file = TensorFile { metadata: metadata.map(|(key, text)| (key.to_owned(), text)).into(), tensors };
        file.metadata.insert("checksum".into(), checksum(&file.to_bytes()));
        file.to_bytes()
    }

    /// Takes a training up again. `network` is a net of the same architecture, whatever its weights; `train` what it
    /// learned from.
    ///
    /// # Errors
    /// [`QatError::Snapshot`] for anything but a whole snapshot of such a net and as many samples; samples that do not
    /// fit the net.
    pub fn resume(bytes: &[u8], network: &Network, train: &Split) -> Result<Self, CoreError> {
        let (file, state) = read(bytes)?;
        let is_sound = state.progress.steps < MOST
            && state.shuffles < MOST
            && u64::from(state.progress.epochs) <= state.progress.steps
            && u64::from(state.progress.waited) <= state.progress.steps
            && state.history.is_sound();
        if !is_sound {
            return Err(damaged("its counters do not fit each other"));
        }
        let (latent, quantized) = read_net(&file, "", network)?;
        let mut net = QatNet::unassigned(latent, quantized, &state.settings)?;
        net.quantizer.choose(&state.settings.quantize)?;
        for Grid { node, bits, zero, step_size } in state.codebooks {
            let codebook = Codebook::grid(bits, zero, step_size).ok_or_else(|| damaged("a codebook is no grid"))?;
            net.quantizer.set_codebook(node, bits, codebook);
        }
        net.mark_quantized();
        net.mean = read_relevance(&file, network)?;
        let mut moments = [const { Vec::new() }; 3];
        for ((own, optimizer), steps) in moments.iter_mut().zip(OPTIMIZERS).zip(&state.adam_steps) {
            *own = read_moments(&file, network, optimizer, steps)?;
        }
        net.optimizers = net.optimizers.with_state(moments);
        (net.summary, net.report) = (state.summary, Some(state.report));
        let best = state.best.map(|(epoch, report)| {
            let (latent, quantized) = read_net(&file, "best.", network)?;
            Ok::<_, CoreError>(Best { epoch, quantized, latent, report })
        });
        let (batches, pass) = start(network, state.order, train)?;
        let order = integers(&file, "order")?.iter().map(|&sample| usize::try_from(sample).unwrap_or(usize::MAX));
        let batches = batches.at(order.collect(), state.next, state.shuffles);
        let batches = batches.ok_or_else(|| damaged("its order is not one of these training samples"))?;
        let (settings, order) = (state.settings, state.order);
        Ok(Self::of((net, settings), (order, batches, pass), (state.progress, best.transpose()?, state.history)))
    }
}

/// FNV-1a with 64 bits (Fowler, Noll and Vo), in hexadecimal digits.
fn checksum(bytes: &[u8]) -> String {
    let hash = bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    format!("{hash:016x}")
}

/// The file and its state, after a look at the checksum.
fn read(bytes: &[u8]) -> Result<(TensorFile, State), CoreError> {
    let mut file = TensorFile::from_bytes(bytes).map_err(of_tensor)?;
    let found = file.metadata.remove("checksum");
    let has = |key: &str, text: &str| file.metadata.get(key).is_some_and(|found| found == text);
    if !has("format", FORMAT) || !has("version", "1") {
        return Err(damaged("its metadata do not say ecqx-qat, version 1"));
    }
    if found != Some(checksum(&file.to_bytes())) {
        return Err(damaged("its checksum is that of other bytes"));
    }
    let text = file.metadata.get("state").map(String::as_str).unwrap_or_default();
    let state = exact::unpack(text, integers(&file, "bits")?).ok_or_else(|| damaged("its state cannot be read"))?;
    Ok((file, state))
}

fn integers<'a>(file: &'a TensorFile, name: &str) -> Result<&'a [i64], CoreError> {
    match &file.get(name).map_err(of_tensor)?.data {
        TensorData::I64(values) => Ok(values),
        _ => Err(damaged(format!("tensor {name} holds no 64-bit integers"))),
    }
}

fn weight_names(network: &Network) -> impl Iterator<Item = (usize, String, usize)> {
    let nodes = network.nodes();
    network.weights().map(|(node, values)| {
        let name = nodes.get(node).map(|node| node.name.as_str()).unwrap_or_default();
        (node, format!("{name}.weight"), values.len())
    })
}

fn push_net(tensors: &mut Vec<Tensor>, prefix: &str, latent: &Network, quantized: &Network) {
    let all = latent.tensors().map(|t| Tensor::f32(format!("{prefix}latent.{}", t.name), &t.shape, t.values.to_vec()));
    tensors.extend(all);
    for ((_, name, len), (_, values)) in weight_names(quantized).zip(quantized.weights()) {
        tensors.push(Tensor::f32(format!("{prefix}quantized.{name}"), &[len], values.to_vec()));
    }
}

/// What [`push_net`] wrote, in copies of a net of the same architecture.
fn read_net(file: &TensorFile, prefix: &str, network: &Network) -> Result<(Network, Network), CoreError> {
    let mut latent = network.clone();
    latent
        .try_fill(|name, shape| file.weights(&format!("{prefix}latent.{name}"), shape))
        .map_err(|error| damaged(error.to_string()))?;
    let mut quantized = latent.clone();
    for (node, name, len) in weight_names(network) {
        let values = file.weights(&format!("{prefix}quantized.{name}"), &[len]).map_err(of_tensor)?;
        if let Some(weights) = quantized.weight_mut(node) {
            weights.copy_from_slice(values);
        }
    }
    Ok((latent, quantized))
}

/// All or none.
fn read_relevance(file: &TensorFile, network: &Network) -> Result<RelevanceMean, CoreError> {
    if !file.tensors.iter().any(|tensor| tensor.name.starts_with("relevance.")) {
        return Ok(RelevanceMean::default());
    }
    let each = weight_names(network).map(|(node, name, len)| {
        let values = file.weights(&format!("relevance.{name}"), &[len]).map_err(of_tensor)?;
        Ok((node, values.to_vec()))
    });
    Ok(RelevanceMean::of(each.collect::<Result<_, CoreError>>()?))
}

fn read_moments(
    file: &TensorFile,
    network: &Network,
    optimizer: &str,
    steps: &[u32],
) -> Result<Vec<Moments>, CoreError> {
    let each = network.parameters().zip(steps).map(|(parameter, &steps)| {
        if steps == 0 {
            return Ok(Moments::default());
        }
        let read = |what: &str| {
            let name = format!("adam.{optimizer}.{what}.{}", parameter.name);
            file.weights(&name, &parameter.shape).map(<[f32]>::to_vec).map_err(of_tensor)
        };
        let (mean, square) = (read("mean")?, read("square")?);
        if square.iter().any(|&v| v < 0.0) {
            return Err(damaged(format!("a mean square of {} is below 0", parameter.name)));
        }
        Ok(Moments { steps, mean, square })
    });
    each.collect()
}
