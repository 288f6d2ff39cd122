//! The only file access: paths to bytes and back.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use ecqx_core::data::{DataError, Dataset, NamedBytes, Split};
use ecqx_core::model::Model;

use crate::args::{On, SplitName};

pub(crate) fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}

pub(crate) fn read_model(path: &Path) -> Result<Model> {
    Model::from_bytes(&read(path)?).with_context(|| path.display().to_string())
}

/// The dataset of one file or several.
pub(crate) fn read_parts(paths: &[PathBuf]) -> Result<Dataset> {
    let names: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
    let files = paths.iter().map(|path| read(path)).collect::<Result<Vec<_>>>()?;
    let parts: Vec<_> = names.iter().zip(&files).map(|(name, bytes)| NamedBytes { name, bytes }).collect();
    Ok(Dataset::from_parts(&parts)?)
}

/// A dataset that fits the model.
pub(crate) fn read_dataset(paths: &[PathBuf], model: &Model) -> Result<Dataset> {
    let dataset = read_parts(paths)?;
    let network = &model.network;
    dataset.expect_fit(network.input(), network.outputs()).with_context(|| first_name(paths))?;
    Ok(dataset)
}

/// What errors call a dataset of one file or several.
pub(crate) fn first_name(paths: &[PathBuf]) -> String {
    paths.first().map(|path| path.display().to_string()).unwrap_or_default()
}

/// A model and the samples it is to be run on.
pub(crate) fn read_on(on: &On) -> Result<(Model, Split)> {
    let model = read_model(&on.model)?;
    let dataset = read_dataset(&on.data, &model)?;
    let (split, name) = match on.split {
        SplitName::Train => (dataset.train, "train"),
        SplitName::Test => (dataset.test, "test"),
    };
    let split = split.ok_or(DataError::NoSplit { split: name }).with_context(|| first_name(&on.data))?;
    Ok((model, split))
}

/// What is computed from a file must not take its place.
pub(crate) fn expect_apart<'a>(output: &Path, inputs: impl IntoIterator<Item = &'a PathBuf>) -> Result<()> {
    let is_same = |input: &&PathBuf| matches!((output.canonicalize(), input.canonicalize()), (Ok(output), Ok(input)) if output == input);
    match inputs.into_iter().find(is_same) {
        Some(input) => bail!("the output would overwrite {}; choose another --output", input.display()),
        None => Ok(()),
    }
}

/// Writes a file that appears whole or not at all: beside its place first, then moved into it.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !folder.is_dir() {
        bail!("cannot write {}: the folder {} does not exist; create it first", path.display(), folder.display());
    }
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // As for any new file; the system's umask takes its part away.
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    let mut write = || {
        // Without the temporary name, which nobody gave.
        let mut file =
            builder.prefix(".ecqx-").tempfile_in(folder).map_err(|error| std::io::Error::from(error.kind()))?;
        file.write_all(bytes)?;
        file.persist(path).map_err(|error| error.error)?;
        anyhow::Ok(())
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}
