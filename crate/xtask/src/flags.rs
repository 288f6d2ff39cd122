//! The list of commands and how they are written. One place, so that the help cannot forget one.

use crate::test::Stage;

/// What was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Command {
    Help,
    Serve(ServeOptions),
    Build,
    Test(Vec<Stage>),
    Bench,
    Tidy,
}

/// Where `serve` listens and whether it shows the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ServeOptions {
    pub(crate) port: u16,
    pub(crate) open: bool,
}

impl Default for ServeOptions {
    fn default() -> Self {
        Self { port: 8080, open: true }
    }
}

const COMMANDS: [(&str, &str); 5] = [
    ("serve [--port N] [--no-open]", "build what changed, serve it on 127.0.0.1:8080 or the next free port, show it"),
    ("build", "write dist/: static files for any host and any sub-path; list their sizes"),
    ("test [STAGE…]", "every check and test, or only the named stages"),
    ("bench", "measure: native benches, then the page in a browser, and nets there beside TensorFlow.js"),
    ("tidy", "house rules: module docs, file sizes, checksums, links"),
];

pub(crate) fn help() -> String {
    let width = COMMANDS.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let line = |(name, what): (&str, &str)| format!("  {name:width$}  {what}");
    let mut lines = vec!["cargo xtask <command>".to_owned(), String::new()];
    lines.extend(COMMANDS.map(line));
    lines.extend([String::new(), "Stages of test, in this order:".to_owned(), String::new()]);
    lines.extend(Stage::ALL.map(|stage| line((stage.name(), stage.about()))));
    lines.join("\n")
}

/// # Errors
/// A sentence for the user when the words are not a command.
pub(crate) fn parse(args: impl IntoIterator<Item = String>) -> Result<Command, String> {
    let args: Vec<String> = args.into_iter().collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    if words.iter().any(|word| matches!(*word, "--help" | "-h")) {
        return Ok(Command::Help);
    }
    match words.split_first() {
        None | Some((&"help", _)) => Ok(Command::Help),
        Some((&"serve", rest)) => serve(rest).map(Command::Serve),
        Some((&"build", rest)) => nothing_more("build", rest, Command::Build),
        Some((&"test", rest)) => stages(rest).map(Command::Test),
        Some((&"bench", rest)) => nothing_more("bench", rest, Command::Bench),
        Some((&"tidy", rest)) => nothing_more("tidy", rest, Command::Tidy),
        Some((unknown, _)) => Err(format!("there is no command `{unknown}`")),
    }
}

fn nothing_more(name: &str, rest: &[&str], command: Command) -> Result<Command, String> {
    match rest.first() {
        None => Ok(command),
        Some(word) => Err(format!("`{name}` takes no arguments, got `{word}`")),
    }
}

fn serve(words: &[&str]) -> Result<ServeOptions, String> {
    let mut options = ServeOptions::default();
    let mut words = words.iter();
    while let Some(&word) = words.next() {
        if word == "--no-open" {
            options.open = false;
        } else if let Some(value) = word.strip_prefix("--port=") {
            options.port = port(value)?;
        } else if word == "--port" {
            options.port = port(words.next().ok_or("`--port` needs a number")?)?;
        } else {
            return Err(format!("`serve` has no option `{word}`"));
        }
    }
    Ok(options)
}

fn port(text: &str) -> Result<u16, String> {
    match text.parse() {
        Ok(port) if port > 0 => Ok(port),
        _ => Err(format!("`--port` is `{text}`; it must be a number from 1 to 65535")),
    }
}

/// The named stages in the order in which they run; all of them when none is named.
fn stages(words: &[&str]) -> Result<Vec<Stage>, String> {
    for word in words {
        if !Stage::ALL.iter().any(|stage| stage.name() == *word) {
            return Err(format!("`test` has no stage `{word}`"));
        }
    }
    Ok(Stage::ALL.into_iter().filter(|stage| words.is_empty() || words.contains(&stage.name())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, expected: Result<Command, &str>) {
        assert_eq!(parse(line.split_whitespace().map(String::from)), expected.map_err(String::from), "{line}");
    }

    #[test]
    fn reads_every_command() {
        check("", Ok(Command::Help));
        check("serve --help", Ok(Command::Help));
        check("serve", Ok(Command::Serve(ServeOptions { port: 8080, open: true })));
        check("serve --port 9 --no-open", Ok(Command::Serve(ServeOptions { port: 9, open: false })));
        check("serve --port=9", Ok(Command::Serve(ServeOptions { port: 9, open: true })));
        check("test", Ok(Command::Test(Stage::ALL.to_vec())));
        check("test clippy fmt", Ok(Command::Test(vec![Stage::Fmt, Stage::Clippy])));
        check("tidy", Ok(Command::Tidy));
    }

    #[test]
    fn names_what_it_does_not_know() {
        check("deploy", Err("there is no command `deploy`"));
        check("build --fast", Err("`build` takes no arguments, got `--fast`"));
        check("test smoke", Err("`test` has no stage `smoke`"));
        check("serve --port 70000", Err("`--port` is `70000`; it must be a number from 1 to 65535"));
        check("serve --port", Err("`--port` needs a number"));
    }

    #[test]
    fn help_has_a_line_for_each_command_and_stage() {
        let help = help();
        for name in COMMANDS.map(|(name, _)| name).into_iter().chain(Stage::ALL.map(Stage::name)) {
            assert!(help.lines().any(|line| line.trim_start().starts_with(name)), "{name}");
        }
    }
}
