//! `ecqx data`

use std::path::Path;

use anyhow::Result;
use ecqx_core::data::{Dataset, Shape, Toy};

use super::info::DatasetInfo;
use crate::args::{self, Convert, Data, DataCommand};
use crate::{files, output};

pub(crate) fn run(args: &Data, json: bool) -> Result<()> {
    match &args.what {
        DataCommand::Moons(toy) => draw(Shape::Moons, 0.1, toy, json),
        DataCommand::Circles(toy) => draw(Shape::Circles, 0.1, toy, json),
        DataCommand::Spirals { toy, arms } => draw(Shape::Spirals { arms: *arms }, 0.03, toy, json),
        DataCommand::Convert(Convert { files, output, name }) => {
            let mut dataset = files::read_parts(files)?;
            if let Some(name) = name {
                dataset.name.clone_from(name);
            }
            write(&dataset, output, json)
        }
    }
}

fn draw(shape: Shape, noise: f64, args: &args::Toy, json: bool) -> Result<()> {
    let args::Toy { output, samples, test_samples, noise: given, seed } = args;
    let noise = given.unwrap_or(noise);
    let toy = Toy { shape, samples: *samples, test_samples: *test_samples, noise, seed: *seed };
    write(&toy.make()?, output, json)
}

fn write(dataset: &Dataset, path: &Path, json: bool) -> Result<()> {
    let bytes = dataset.to_bytes();
    files::write(path, &bytes)?;
    let info = DatasetInfo::new(dataset, bytes.len());
    output::print(json, &info, || info.text())
}
