//! `www/` and the generated modules -> `dist/`, by Vite.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use crate::project::{PAGE_MODULES, Project};
use crate::report::{Step, grouped, say};
use crate::stamp::{Stamp, collect, hash_paths};
use crate::{run, tools, wasm};

/// All that can change what Vite writes.
const INPUTS: [&str; 8] = [
    "www",
    "index.html",
    "assets",
    "package.json",
    "package-lock.json",
    "vite.config.ts",
    "svelte.config.js",
    "tsconfig.json",
];

/// Brings tools, modules and page up to date.
pub(crate) fn build(project: &Project) -> Result<()> {
    tools::ensure(project)?;
    wasm::build(project, &PAGE_MODULES)?;
    let step = Step::new("page");
    let rebuilt = build_page(project)?;
    step.done(if rebuilt { "rebuilt" } else { "up to date" });
    Ok(())
}

pub(crate) fn build_and_list(project: &Project) -> Result<()> {
    build(project)?;
    say!("\n{}", list(project)?);
    Ok(())
}

fn build_page(project: &Project) -> Result<bool> {
    let inputs: Vec<PathBuf> = INPUTS.iter().map(|path| project.path(path)).collect();
    let stamp = Stamp::new(project.private("page.stamp"), hash_paths(&inputs)?, project.dist());
    if stamp.is_fresh()? {
        return Ok(false);
    }
    run::quiet(project, "page build", &mut project.npm(&["run", "build"]))?;
    let index =
        fs::read_to_string(project.dist().join("index.html")).context("the page build wrote no dist/index.html")?;
    if let Some(address) = fixed_address(&index) {
        bail!("dist/index.html refers to {address}: it would not work under a sub-path (`base` in vite.config.ts)");
    }
    stamp.write()?;
    Ok(true)
}

/// The first reference that holds only at the root of a host, or only at one host.
fn fixed_address(html: &str) -> Option<&str> {
    let quoted = html.split(['"', '\'']).collect::<Vec<_>>();
    quoted.windows(2).find_map(|pair| {
        let is_reference = pair[0].ends_with("src=") || pair[0].ends_with("href=");
        (is_reference && (pair[1].starts_with('/') || pair[1].starts_with("http"))).then_some(pair[1])
    })
}

/// Each file of dist/ with its size, and what travels over a network: the size of its compressed twins.
fn list(project: &Project) -> Result<String> {
    let mut files = Vec::new();
    collect(&project.dist(), &mut files)?;
    let mut rows = Vec::new();
    for file in files.iter().filter(|file| !file.extension().is_some_and(|end| end == "br" || end == "gz")) {
        let size = |twin: &str| -> Result<usize> {
            let file = PathBuf::from(format!("{}{twin}", file.display()));
            Ok(fs::metadata(&file).with_context(|| format!("there is no {}", file.display()))?.len() as usize)
        };
        let name = file.strip_prefix(project.dist()).unwrap_or(file).display().to_string();
        rows.push((name, [size("")?, size(".gz")?, size(".br")?]));
    }
    let sums = [0, 1, 2].map(|column| rows.iter().map(|(_, sizes)| sizes[column]).sum());
    let line = |name: &str, [bytes, gzip, brotli]: [String; 3]| format!("{bytes:>12} {gzip:>12} {brotli:>12}  {name}");
    let head = line("dist/", ["bytes", "gzip", "brotli"].map(str::to_owned));
    rows.push(("together".to_owned(), sums));
    let lines = rows.iter().map(|(name, sizes)| line(name, sizes.map(grouped)));
    Ok(std::iter::once(head).chain(lines).collect::<Vec<_>>().join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_addresses_that_break_under_a_sub_path() {
        assert_eq!(fixed_address(r#"<script src="./a.js"></script><link href="b.css"><p title="/x">"#), None);
        assert_eq!(fixed_address(r#"<link href="./b.css"><script src="/a.js">"#), Some("/a.js"));
        assert_eq!(fixed_address("<img src='https://example.org/a.png'>"), Some("https://example.org/a.png"));
    }
}
