//! `ecqx eval`

use anyhow::Result;
use ecqx_core::tensors::{Tensor, TensorFile};

use crate::args::Eval;
use crate::{files, output};

pub(crate) fn run(args: &Eval, json: bool) -> Result<()> {
    let (model, split) = files::read_on(&args.on)?;
    let mut all = Vec::new();
    let mut tape = model.network.evaluation_tape();
    let evaluation = model.network.evaluate(&split, &mut tape, |logits| all.extend(logits))?;
    if let Some(path) = &args.logits {
        let logits = Tensor::f32("logits", &[split.len(), model.network.outputs()], all);
        files::write(path, &TensorFile { tensors: vec![logits], ..TensorFile::default() }.to_bytes())?;
    }
    output::print(json, &evaluation, || output::evaluation(model.name(), &evaluation))
}
