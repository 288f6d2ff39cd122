//! `www/` and the generated modules -> `dist/`, by Vite.

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use flate2::{Compression, write::GzEncoder};

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

/// Each file of dist/ with its size and what travels over a network.
fn list(project: &Project) -> Result<String> {
    let mut files = Vec::new();
    collect(&project.dist(), &mut files)?;
    let line = |raw: &str, gzip: &str, name: &str| format!("{raw:>12} {gzip:>12}  {name}");
    let mut lines = vec![line("bytes", "gzip", "dist/")];
    let (mut raw_sum, mut gzip_sum) = (0, 0);
    for file in files {
        let bytes = fs::read(&file)?;
        let small = gzip_size(&bytes)?;
        raw_sum += bytes.len();
        gzip_sum += small;
        let name = file.strip_prefix(project.dist()).unwrap_or(&file);
        lines.push(line(&grouped(bytes.len()), &grouped(small), &name.display().to_string()));
    }
    lines.push(line(&grouped(raw_sum), &grouped(gzip_sum), "together"));
    Ok(lines.join("\n"))
}

fn gzip_size(bytes: &[u8]) -> Result<usize> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?.len())
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

    #[test]
    fn gzip_makes_zeros_small() {
        assert!(gzip_size(&vec![0; 100_000]).unwrap() < 1000);
    }
}
