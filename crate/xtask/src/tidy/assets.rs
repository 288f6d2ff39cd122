//! The rule for data: what is shipped is what was reviewed.

use crate::stamp::sha256;
use crate::tidy::files::SourceFile;

const LIST: &str = "assets/README.md";

pub(super) fn checksums(files: &[SourceFile]) -> Vec<String> {
    let shipped = files.iter().filter(|file| {
        let known_folder = file.path.starts_with("assets/datasets/") || file.path.starts_with("assets/models/");
        known_folder && file.path.ends_with(".safetensors")
    });
    let list = files.iter().find(|file| file.path == LIST).and_then(SourceFile::text);
    shipped.filter_map(|file| problem(file, list)).collect()
}

fn problem(file: &SourceFile, list: Option<&str>) -> Option<String> {
    let sum = sha256(&file.bytes);
    let Some(list) = list else { return Some(format!("{}: there is no {LIST} to list it", file.path)) };
    let mut lines = list.lines().filter(|line| names(line, file.name())).peekable();
    if lines.peek().is_none() {
        return Some(format!("{} is not in {LIST}; its sha256 is {sum}", file.path));
    }
    let listed = lines.any(|line| line.contains(&sum));
    (!listed).then(|| format!("{} has another checksum in {LIST}; its sha256 is {sum}", file.path))
}

/// Whether a line names this file, and not one whose name only ends like it.
fn names(line: &str, name: &str) -> bool {
    let is_name = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    line.split(|c| !is_name(c)).any(|word| word == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::files::file;

    #[test]
    fn each_file_stands_beside_its_sum() {
        let data = file("assets/models/mlp.safetensors", "");
        let sum = sha256(b"");
        for (list, expected) in [
            (format!("| `models/mlp.safetensors` | {sum} |"), None),
            (format!("| mlp.safetensors | {} |", sha256(b"x")), Some("another checksum")),
            (format!("| big-mlp.safetensors | {sum} |"), Some("is not in")),
            (format!("mlp.safetensors\n{sum}"), Some("another checksum")),
        ] {
            let found = checksums(&[data.clone(), file(LIST, &list)]);
            match expected {
                None => assert!(found.is_empty(), "{found:?}"),
                Some(words) => assert!(found.len() == 1 && found[0].contains(words), "{list}: {found:?}"),
            }
        }
    }

    #[test]
    fn a_missing_list_is_a_problem_only_with_files() {
        assert!(checksums(&[]).is_empty());
        assert_eq!(checksums(&[file("assets/datasets/x.safetensors", "")]).len(), 1);
    }
}
