//! What integers take, coder by coder: part of `ecqx info`.

use anyhow::Result;
use ecqx_core::codec::{CODERS, Coder, Sizes, compare};
use ecqx_core::tensors::TensorData;
use serde::Serialize;

use crate::output::printable;

#[derive(Debug, Serialize)]
pub(super) struct NamedSizes {
    pub(super) name: String,
    weights: usize,
    #[serde(flatten)]
    pub(super) sizes: Sizes,
}

/// The sizes of a tensor; `None` unless it holds integers.
pub(super) fn of(name: &str, shape: &[usize], data: &TensorData) -> Result<Option<NamedSizes>> {
    let integers: Vec<i32> = match data {
        TensorData::I8(values) => values.iter().copied().map(i32::from).collect(),
        TensorData::I16(values) => values.iter().copied().map(i32::from).collect(),
        TensorData::I32(values) => values.clone(),
        _ => return Ok(None),
    };
    let sizes = compare(name, shape, &integers)?;
    Ok(Some(NamedSizes { name: name.into(), weights: integers.len(), sizes }))
}

/// A table with one row per tensor and one for all, after an empty line; nothing for no tensors.
pub(super) fn lines(all: &[NamedSizes]) -> Vec<String> {
    if all.is_empty() {
        return Vec::new();
    }
    let row = |name: &str, weights: String, others: Vec<String>| {
        let cells: Vec<String> = others.iter().map(|cell| format!("{cell:>9}")).collect();
        format!("{name:<16} {weights:>9} {}", cells.join(" "))
    };
    let names = CODERS.map(Coder::name);
    let head = ["float"].into_iter().chain(names).chain(["entropy", "nnc"]).map(str::to_owned).collect();
    let sum = |rows: &[NamedSizes], name: &str| {
        let weights: usize = rows.iter().map(|row| row.weights).sum();
        let total = |of: &dyn Fn(&Sizes) -> usize| rows.iter().map(|row| of(&row.sizes)).sum::<usize>().to_string();
        let mut cells = vec![total(&|sizes| sizes.float)];
        cells.extend(names.map(|coder| total(&|sizes| sizes.coders.get(coder).copied().unwrap_or_default())));
        let entropy: f64 = rows.iter().map(|row| row.sizes.entropy).sum();
        cells.push(format!("{entropy:.0}"));
        cells.push(total(&|sizes| sizes.nnc));
        row(name, weights.to_string(), cells)
    };
    let mut lines = vec![String::new(), row("bytes", "weights".into(), head)];
    lines.extend(all.iter().map(|one| sum(std::slice::from_ref(one), &printable(&one.name))));
    lines.push(sum(all, "all"));
    lines
}
