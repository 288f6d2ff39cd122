//! What people type: one struct per command.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};
use ecqx_core::codec::Generation;
use ecqx_core::lrp::{BatchNormMode, Composite, LrpError, OutputRelevance};
use ecqx_core::qat::{QatError, RelevanceOn, Ste};
use ecqx_core::quant::{LayerOverride, Method, Mode, QuantError};

/// Quantize neural nets with ECQx: entropy-constrained, relevance-corrected.
#[derive(Debug, Parser)]
#[command(name = "ecqx", version, propagate_version = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
    /// Print one JSON object on standard output and nothing else there
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Train a net, from an architecture or on from a model
    Train(Train),
    /// Count the right answers of a model on a dataset
    Eval(Eval),
    /// Measure the relevance of every weight (layer-wise relevance propagation)
    Lrp(Lrp),
    /// Quantize a model without training
    Quantize(Quantize),
    /// Train a model while it carries quantized weights
    Qat(Qat),
    /// Compress a quantized model, or any tensors, to an .nnc file
    Encode(Encode),
    /// Get back what an .nnc file holds
    Decode(Decode),
    /// Say what a file holds: a model, quantized or not, compressed or not, a dataset, or any tensors
    Info(Info),
    /// Make datasets: toy sets from a seed, or one file of others
    Data(Data),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SplitName {
    Train,
    Test,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum OptimizerName {
    Adam,
    Sgd,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Train {
    /// A model, or an architecture (.json) whose weights are then drawn from the seed
    #[arg(long, short)]
    pub(crate) model: PathBuf,
    /// A dataset; its training split is learned, its test split (if any) evaluated at the end. Given again, the files
    /// are joined
    #[arg(long, short, required = true)]
    pub(crate) data: Vec<PathBuf>,
    /// Where the trained model goes
    #[arg(long, short)]
    pub(crate) output: PathBuf,
    #[arg(long, value_enum, default_value = "adam")]
    pub(crate) optimizer: OptimizerName,
    /// Learning rate
    #[arg(long, default_value_t = 1e-3, allow_negative_numbers = true)]
    pub(crate) lr: f64,
    /// Momentum of sgd
    #[arg(long, default_value_t = 0.9, allow_negative_numbers = true)]
    pub(crate) momentum: f64,
    /// Weight decay, added to the gradient
    #[arg(long, default_value_t = 0.0, allow_negative_numbers = true)]
    pub(crate) weight_decay: f64,
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) epochs: u32,
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) batch_size: u32,
    /// Decides the initial weights and the order of samples
    #[arg(long, default_value_t = 0)]
    pub(crate) seed: u64,
    /// Take the samples in file order
    #[arg(long)]
    pub(crate) no_shuffle: bool,
    /// Round the trained numbers to so many significant binary digits, before they are evaluated: 24 keeps all, 11 loses
    /// no accuracy to speak of, and the file compresses to two thirds
    #[arg(long, default_value_t = 24, value_parser = clap::value_parser!(u32).range(2..=24))]
    pub(crate) round: u32,
}

/// A model and the samples it is run on.
#[derive(Debug, ClapArgs)]
pub(crate) struct On {
    /// A model, quantized or not
    #[arg(long, short)]
    pub(crate) model: PathBuf,
    /// A dataset that fits it. Given again, the files are joined: images and labels, training and test samples
    #[arg(long, short, required = true)]
    pub(crate) data: Vec<PathBuf>,
    /// Which of the dataset's samples
    #[arg(long, value_enum, default_value = "test")]
    pub(crate) split: SplitName,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Eval {
    #[command(flatten)]
    pub(crate) on: On,
    /// Where the logits [n, classes] go
    #[arg(long)]
    pub(crate) logits: Option<PathBuf>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Lrp {
    #[command(flatten)]
    pub(crate) on: On,
    /// Where the relevances go
    #[arg(long, short)]
    pub(crate) output: PathBuf,
    /// Which rule applies where: a name (epsilon, epsilon-plus, epsilon-plus-flat, epsilon-alpha2-beta1,
    /// epsilon-alpha2-beta1-flat, epsilon-gamma-flat, epsilon-gamma-box, excitation-backprop), or a JSON object from
    /// layer name, "first", "first_conv2d" or layer kind (the earlier of these wins) to rule, such as
    /// {"first": "flat", "conv2d": "alpha-beta(2,1)"}. Rules: epsilon(e), gamma(g), z-plus, alpha-beta(a,b), z-box(lo,hi),
    /// w-square, flat, norm, pass
    #[arg(long, default_value = "epsilon-plus", value_parser = |text: &str| -> Result<Composite, LrpError> { text.parse() })]
    pub(crate) composite: Composite,
    /// Where relevance starts: logit, one or probability
    #[arg(long, default_value = "logit", value_parser = |name: &str| -> Result<OutputRelevance, LrpError> { name.parse() })]
    pub(crate) output_relevance: OutputRelevance,
    /// What batch norm does: pass; rule, as an affine layer with the convolution's rule; merge, which is pass, as in the
    /// published code; fold, into the layer before it
    #[arg(long, default_value = "pass", value_parser = |name: &str| -> Result<BatchNormMode, LrpError> { name.parse() })]
    pub(crate) batch_norm: BatchNormMode,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Quantize {
    /// A float model; each layer's weights are assigned to 2^bits centroids
    #[arg(long, short)]
    pub(crate) model: PathBuf,
    /// Where the quantized model goes
    #[arg(long, short)]
    pub(crate) output: PathBuf,
    /// nearest, ecq or ecqx
    #[arg(long, value_parser = |name: &str| -> Result<Method, QuantError> { name.parse() })]
    pub(crate) method: Method,
    /// Bit width, 2 to 8
    #[arg(long)]
    pub(crate) bits: u8,
    /// Entropy weight λ, 0 to 1; 0 is nearest neighbour, whatever the method
    #[arg(long, default_value_t = 0.0, allow_negative_numbers = true)]
    pub(crate) lambda: f64,
    /// Relevance scaling: the share of zeros, 0 to 1, that may be given back to relevant weights; at 0 relevance only
    /// chooses which weights become zero
    #[arg(long, default_value_t = 0.0, allow_negative_numbers = true)]
    pub(crate) p: f64,
    /// Relevances of this model's weights, from `ecqx lrp`; ecqx needs them
    #[arg(long)]
    pub(crate) relevance: Option<PathBuf>,
    /// exact, as the paper means it, or reference, as the published code computes it
    #[arg(long, default_value = "exact", value_parser = |name: &str| -> Result<Mode, QuantError> { name.parse() })]
    pub(crate) mode: Mode,
    /// Exponent on relevance, 0 to 1, instead of the one found from p; p then only says whether the share of zeros is in
    /// its range
    #[arg(long, allow_negative_numbers = true)]
    pub(crate) beta: Option<f64>,
    /// How many times as dear zero is for a weight of relevance 1, 0.01 to 100 [default: 2]
    #[arg(long, allow_negative_numbers = true)]
    pub(crate) rho: Option<f64>,
    /// What one layer does otherwise: NAME:bits=B, NAME:lambda=L, NAME:bits=B,lambda=L, or NAME:exclude, which keeps its
    /// float weights. Once for each such layer
    #[arg(long = "layer", value_name = "NAME:SETTING", value_parser = |text: &str| -> Result<LayerOverride, QuantError> { text.parse() })]
    pub(crate) layers: Vec<LayerOverride>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Qat {
    /// A float model to start from
    #[arg(long, short)]
    pub(crate) model: PathBuf,
    /// A dataset; its training split is learned. Given again, the files are joined
    #[arg(long, short, required = true)]
    pub(crate) data: Vec<PathBuf>,
    /// Where the quantized model goes, with the latent weights behind it
    #[arg(long, short)]
    pub(crate) output: PathBuf,
    /// nearest, ecq or ecqx
    #[arg(long, value_parser = |name: &str| -> Result<Method, QuantError> { name.parse() })]
    pub(crate) method: Method,
    /// Bit width, 2 to 8
    #[arg(long, default_value_t = 4)]
    pub(crate) bits: u8,
    /// Entropy weight λ, 0 to 1; 0 is nearest neighbour, whatever the method
    #[arg(long, default_value_t = 0.05, allow_negative_numbers = true)]
    pub(crate) lambda: f64,
    /// Relevance scaling: the share of zeros, 0 to 1, that may be given back to relevant weights
    #[arg(long, default_value_t = 0.1, allow_negative_numbers = true)]
    pub(crate) p: f64,
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) epochs: u32,
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) batch_size: u32,
    /// Learning rate
    #[arg(long, default_value_t = 1e-3, allow_negative_numbers = true)]
    pub(crate) lr: f64,
    /// Share of the old relevance in the running mean over batches, 0 or more and below 1
    #[arg(long, default_value_t = 0.1, allow_negative_numbers = true)]
    pub(crate) alpha: f64,
    /// Which rule applies where, as for `ecqx lrp`
    #[arg(long, default_value = "epsilon-plus-flat", value_parser = |text: &str| -> Result<Composite, LrpError> { text.parse() })]
    pub(crate) composite: Composite,
    /// Where relevance starts: logit, one or probability
    #[arg(long, default_value = "logit", value_parser = |name: &str| -> Result<OutputRelevance, LrpError> { name.parse() })]
    pub(crate) output_relevance: OutputRelevance,
    /// What batch norm does with relevance: pass, rule, merge or fold, as for `ecqx lrp`
    #[arg(long, default_value = "pass", value_parser = |name: &str| -> Result<BatchNormMode, LrpError> { name.parse() })]
    pub(crate) batch_norm: BatchNormMode,
    /// Decides the order of samples, and which are held out
    #[arg(long, default_value_t = 0)]
    pub(crate) seed: u64,
    /// Take the samples in file order
    #[arg(long)]
    pub(crate) no_shuffle: bool,
    /// exact, as the paper means it, or reference, as the published code computes it
    #[arg(long, default_value = "exact", value_parser = |name: &str| -> Result<Mode, QuantError> { name.parse() })]
    pub(crate) mode: Mode,
    /// How latent weights get their gradient: plain; scaled, by the centroid's magnitude; signed, by the centroid
    /// [default: plain, in mode reference signed]
    #[arg(long, value_parser = |name: &str| -> Result<Ste, QatError> { name.parse() })]
    pub(crate) ste: Option<Ste>,
    /// Which weights relevance is measured on: latent; quantized; stepped, the quantized ones after a step of their own
    /// [default: latent, in mode reference stepped]
    #[arg(long, value_parser = |name: &str| -> Result<RelevanceOn, QatError> { name.parse() })]
    pub(crate) relevance_on: Option<RelevanceOn>,
    /// Assign weights anew at each so many-th step, and at the end of each epoch
    #[arg(long, value_name = "STEPS", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) assign_every: u32,
    /// Stop after so many epochs without a gain of 0.1 points of validation accuracy; 0 never does
    #[arg(long, value_name = "EPOCHS", default_value_t = 4)]
    pub(crate) patience: u32,
    /// Share of the training samples, below 1, that is held out to choose the best epoch. At 0 the test split chooses it,
    /// as in the published code (its accuracy is then a little flattered), or without one the training split
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, allow_negative_numbers = true)]
    pub(crate) validation: f64,
    /// Exponent on relevance, 0 to 1, instead of the one found from p
    #[arg(long, allow_negative_numbers = true)]
    pub(crate) beta: Option<f64>,
    /// How many times as dear zero is for a weight of relevance 1, 0.01 to 100 [default: 2]
    #[arg(long, allow_negative_numbers = true)]
    pub(crate) rho: Option<f64>,
    /// What one layer does otherwise, as for `ecqx quantize`
    #[arg(long = "layer", value_name = "NAME:SETTING", value_parser = |text: &str| -> Result<LayerOverride, QuantError> { text.parse() })]
    pub(crate) layers: Vec<LayerOverride>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Encode {
    /// A quantized model, which comes back whole; of any other safetensors file integers are coded as they are, and
    /// floats rounded to a fine grid
    pub(crate) file: PathBuf,
    /// Where the .nnc file goes
    #[arg(long, short)]
    pub(crate) output: PathBuf,
    /// Generation of the format: 2 is read by `pip install nncodec`, 1 is what the published ECQx writes
    #[arg(long, value_name = "GENERATION", default_value = "2", value_parser = generation)]
    pub(crate) nnc: Generation,
    /// How parameter sets and escape lengths are chosen: the best; as the official encoder does, to the same bytes; or
    /// not at all, which is fastest
    #[arg(long, value_enum, default_value = "best")]
    pub(crate) search: SearchName,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SearchName {
    Best,
    Reference,
    Off,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Decode {
    /// An .nnc file
    pub(crate) file: PathBuf,
    /// Where the safetensors file goes
    #[arg(long, short)]
    pub(crate) output: PathBuf,
    /// Generation of the format: the file does not say it
    #[arg(long, value_name = "GENERATION", default_value = "2", value_parser = generation)]
    pub(crate) nnc: Generation,
}

fn generation(name: &str) -> Result<Generation, String> {
    match name {
        "1" => Ok(Generation::First),
        "2" => Ok(Generation::Second),
        _ => Err("choose 1 or 2".into()),
    }
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Info {
    /// The file
    pub(crate) file: PathBuf,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Data {
    #[command(subcommand)]
    pub(crate) what: DataCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum DataCommand {
    /// Two half circles that reach into each other
    Moons(Toy),
    /// A circle around another
    Circles(Toy),
    /// Arms that turn around the origin
    Spirals {
        #[command(flatten)]
        toy: Toy,
        /// Number of arms, each a class, 2 to 8
        #[arg(long, default_value_t = 3)]
        arms: u8,
    },
    /// Join files to one: safetensors, MNIST IDX, CIFAR-10 batches, .npz, CSV with the label in the last column
    Convert(Convert),
}

/// A set of points in the plane.
#[derive(Debug, ClapArgs)]
pub(crate) struct Toy {
    /// Where the dataset goes
    #[arg(long, short)]
    pub(crate) output: PathBuf,
    /// Samples to learn from, in all classes together
    #[arg(long, default_value_t = 600)]
    pub(crate) samples: usize,
    /// Samples to evaluate on
    #[arg(long, default_value_t = 300)]
    pub(crate) test_samples: usize,
    /// Standard deviation of what moves each point [default: 0.1 for moons and circles, 0.03 for spirals]
    #[arg(long, allow_negative_numbers = true)]
    pub(crate) noise: Option<f64>,
    /// Decides every point
    #[arg(long, default_value_t = 0)]
    pub(crate) seed: u64,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Convert {
    /// Files of one format; without splits of their own, those whose name says test (or t10k) are test samples
    #[arg(required = true)]
    pub(crate) files: Vec<PathBuf>,
    /// Where the dataset goes
    #[arg(long, short)]
    pub(crate) output: PathBuf,
    /// The dataset's name, instead of that of the files
    #[arg(long)]
    pub(crate) name: Option<String>,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn definitions_are_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn unknown_names_are_wrong_usage() {
        let parse = |words: &str| Args::try_parse_from(words.split(' ')).map(drop).map_err(|error| error.to_string());
        let error = parse("ecqx quantize -m a -o b --method best --bits 4").unwrap_err();
        assert!(error.contains("choose one of: nearest, ecq, ecqx"), "{error}");
        let error = parse("ecqx quantize -m a -o b --method ecq --bits 4 --mode best").unwrap_err();
        assert!(error.contains("choose exact or reference"), "{error}");
        let error = parse("ecqx quantize -m a -o b --method ecq --bits 4 --layer fc1:p=1").unwrap_err();
        assert!(error.contains("NAME:bits=B,lambda=L"), "{error}");
        assert!(parse("ecqx train -m a -d b -o c --epochs 0").is_err());
        assert!(parse("ecqx quantize -m a -o b --method ecq --bits 4 --json").is_ok());
    }
}
