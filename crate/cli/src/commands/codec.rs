//! `ecqx encode` and `ecqx decode`

use anyhow::{Context, Result};
use ecqx_core::codec::{EncodeSettings, Encoded, Search, decode_file, encode_file};
use ecqx_core::tensors::TensorHeader;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use crate::args::{Decode, Encode, SearchName};
use crate::output::printable;
use crate::{files, output};

#[derive(Debug, Serialize)]
struct Report {
    /// Whether the file holds a quantized model, whole.
    model: bool,
    tensors: usize,
    /// Of the file that was read.
    bytes_before: usize,
    /// Of the file that was written.
    bytes: usize,
    /// Tensors that are not in it.
    left_out: Vec<String>,
}

pub(crate) fn encode(args: &Encode, json: bool) -> Result<()> {
    let (name, bytes) = (args.file.display().to_string(), files::read(&args.file)?);
    let search = match args.search {
        SearchName::Best => Search::Best,
        SearchName::Reference => Search::Reference,
        SearchName::Off => Search::Off,
    };
    let settings = EncodeSettings { generation: args.nnc, search, scan: 0 };
    let header = TensorHeader::from_bytes(&bytes).with_context(|| name.clone())?;
    let bar = progress(header.tensors.iter().map(|tensor| tensor.shape.iter().product::<usize>()).sum(), "values")?;
    let encoded = encode_file(&bytes, settings, &mut |values| bar.inc(values as u64)).context(name)?;
    bar.finish_and_clear();
    files::write(&args.output, &encoded.bytes)?;
    let Encoded { bytes: made, model, left_out } = encoded;
    let tensors = header.tensors.len() - left_out.len();
    let report = Report { model, tensors, bytes_before: bytes.len(), bytes: made.len(), left_out };
    output::print(json, &report, || report.text())
}

pub(crate) fn decode(args: &Decode, json: bool) -> Result<()> {
    let (name, bytes) = (args.file.display().to_string(), files::read(&args.file)?);
    let bar = progress(bytes.len(), "bytes")?;
    let made = decode_file(&bytes, args.nnc, &mut |bytes| bar.inc(bytes as u64)).with_context(|| name.clone())?;
    bar.finish_and_clear();
    files::write(&args.output, &made)?;
    let header = TensorHeader::from_bytes(&made).context(name)?;
    let model = header.metadata.get("format").is_some_and(|format| format == "ecqx-model");
    let tensors = header.tensors.len();
    let report = Report { model, tensors, bytes_before: bytes.len(), bytes: made.len(), left_out: Vec::new() };
    output::print(json, &report, || report.text())
}

fn progress(total: usize, unit: &str) -> Result<ProgressBar> {
    let style = ProgressStyle::with_template(&format!("{{bar:30}} {{human_pos}}/{{human_len}} {unit}, {{eta}} left"))?;
    Ok(ProgressBar::new(total as u64).with_style(style))
}

impl Report {
    fn text(&self) -> String {
        let Self { model, tensors, bytes_before, bytes, left_out } = self;
        let what = if *model { "a quantized model" } else { "tensors" };
        let mut lines = vec![format!("{what}: {tensors} tensors, {bytes_before} bytes before, {bytes} bytes now")];
        lines.extend(left_out.iter().map(|name| format!("left out: {}", printable(name))));
        lines.join("\n")
    }
}
