//! Finds a Chromium for the browser tests; on Debian, as root, installs one. Elsewhere says what to install.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::project::Project;
use crate::report::say;
use crate::run;

const VARIABLES: [&str; 2] = ["ECQX_CHROME", "CHROME_PATH"];
const PROGRAMS: [&str; 5] =
    ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "google-chrome-beta"];
const MAC_APPS: [&str; 3] = ["Google Chrome", "Chromium", "Microsoft Edge"];

/// The path of a browser that starts.
pub(crate) fn find_or_install(project: &Project) -> Result<PathBuf> {
    if let Some(named) = named_by_user()? {
        return Ok(named);
    }
    if let Some(found) = candidates().into_iter().find(|path| starts(path)) {
        return Ok(found);
    }
    let os = fs::read_to_string("/etc/os-release").unwrap_or_default();
    let root = run::answer(Command::new("id").arg("-u")).as_deref() == Some("0");
    if system_of(&os) == System::Debian && root {
        return install(project);
    }
    bail!("the browser tests need Chromium or Chrome, and none was found: {}", advice(system_of(&os)))
}

/// What the user chose is used or refused, never silently replaced by another browser.
fn named_by_user() -> Result<Option<PathBuf>> {
    for variable in VARIABLES {
        if let Some(path) = std::env::var_os(variable).filter(|path| !path.is_empty()).map(PathBuf::from) {
            if !starts(&path) {
                bail!("{variable} is {}, but that does not start as a browser: correct it or unset it", path.display());
            }
            return Ok(Some(path));
        }
    }
    Ok(None)
}

fn candidates() -> Vec<PathBuf> {
    let home = std::env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
    let mut paths = on_path(&std::env::var_os("PATH").unwrap_or_default());
    if cfg!(target_os = "macos") {
        paths.extend(mac_bundles(&home));
    }
    paths.extend(from_playwright(&home));
    paths
}

/// Each program name in each folder of PATH; the order of names decides before the order of folders.
fn on_path(path: &OsString) -> Vec<PathBuf> {
    let folders: Vec<PathBuf> = std::env::split_paths(path).collect();
    let files = PROGRAMS.iter().flat_map(|program| folders.iter().map(move |folder| folder.join(program)));
    files.filter(|file| file.is_file()).collect()
}

fn mac_bundles(home: &Path) -> Vec<PathBuf> {
    let folders = [PathBuf::from("/Applications"), home.join("Applications")];
    let bundle = |folder: &PathBuf, app: &str| folder.join(format!("{app}.app/Contents/MacOS/{app}"));
    let files = MAC_APPS.iter().flat_map(|app| folders.iter().map(move |folder| bundle(folder, app)));
    files.filter(|file| file.is_file()).collect()
}

/// What `npx playwright install chromium` leaves behind, the newest first.
fn from_playwright(home: &Path) -> Vec<PathBuf> {
    let cache = std::env::var_os("PLAYWRIGHT_BROWSERS_PATH").map_or_else(
        || home.join(if cfg!(target_os = "macos") { "Library/Caches/ms-playwright" } else { ".cache/ms-playwright" }),
        PathBuf::from,
    );
    let Ok(entries) = fs::read_dir(cache) else { return Vec::new() };
    let mut builds: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    builds.retain(|build| build.file_name().is_some_and(|name| name.to_string_lossy().starts_with("chromium-")));
    builds.sort();
    let inside = ["chrome-linux/chrome", "chrome-linux64/chrome"];
    let files = builds.iter().rev().flat_map(|build| inside.map(|file| build.join(file)));
    files.filter(|file| file.is_file()).collect()
}

/// Asked by starting it: Ubuntu's `chromium-browser` is a file on PATH that only says how to install a snap.
fn starts(path: &Path) -> bool {
    run::answer(Command::new(path).arg("--version")).is_some()
}

fn install(project: &Project) -> Result<PathBuf> {
    say!("installing chromium and fonts-liberation (apt-get): the browser tests drive the page with it");
    let failed = || format!("apt-get could not install Chromium: {}", advice(System::Other));
    run::quiet(project, "apt-get update", &mut project.command("apt-get", &["update"])).with_context(failed)?;
    let mut install = project.command("apt-get", &["install", "-y", "chromium", "fonts-liberation"]);
    run::quiet(project, "apt-get install", install.env("DEBIAN_FRONTEND", "noninteractive")).with_context(failed)?;
    candidates().into_iter().find(|path| starts(path)).with_context(failed)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum System {
    Debian,
    Ubuntu,
    Mac,
    Other,
}

/// From the text of /etc/os-release.
fn system_of(os_release: &str) -> System {
    let words: Vec<&str> = os_release
        .lines()
        .filter_map(|line| line.strip_prefix("ID=").or_else(|| line.strip_prefix("ID_LIKE=")))
        .flat_map(|value| value.trim_matches('"').split_whitespace())
        .collect();
    // Ubuntu and its children call themselves like Debian too, but have no chromium package, only a stand-in for a snap.
    if words.contains(&"ubuntu") {
        System::Ubuntu
    } else if words.contains(&"debian") {
        System::Debian
    } else if cfg!(target_os = "macos") {
        System::Mac
    } else {
        System::Other
    }
}

fn advice(system: System) -> &'static str {
    match system {
        System::Debian => "run `sudo apt-get install chromium fonts-liberation`",
        System::Ubuntu => {
            "the package chromium-browser is only a stand-in for a snap; \
             run `npx playwright install --with-deps chromium`, or install Google Chrome from its .deb file"
        }
        System::Mac => "install Google Chrome or Chromium into /Applications",
        System::Other => {
            "install one with the system's packages or with `npx playwright install chromium`, \
             or set ECQX_CHROME to the path of a Chromium-based browser"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn systems_are_told_apart() {
        assert_eq!(system_of("PRETTY_NAME=\"Debian\"\nID=debian\n"), System::Debian);
        assert_eq!(system_of("ID=ubuntu\nID_LIKE=debian\n"), System::Ubuntu);
        assert_eq!(system_of("ID=linuxmint\nID_LIKE=\"ubuntu debian\"\n"), System::Ubuntu);
        assert_eq!(system_of("ID=raspbian\nID_LIKE=debian\n"), System::Debian);
        assert!(matches!(system_of(""), System::Mac | System::Other));
    }

    #[test]
    fn names_decide_before_folders() {
        let dir = tempfile::tempdir().unwrap();
        let (first, second) = (dir.path().join("1"), dir.path().join("2"));
        for folder in [&first, &second] {
            fs::create_dir(folder).unwrap();
        }
        fs::write(first.join("google-chrome"), "").unwrap();
        fs::write(second.join("chromium"), "").unwrap();
        let path = std::env::join_paths([&first, &second]).unwrap();
        assert_eq!(on_path(&path), [second.join("chromium"), first.join("google-chrome")]);
    }

    #[test]
    fn a_file_that_is_no_program_does_not_start() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("chromium");
        fs::write(&file, "").unwrap();
        assert!(!starts(&file));
    }
}
