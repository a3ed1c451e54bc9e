//! Parsing and rendering against the recorded answers of the stock server, each on its own: single
//! files into properties, and the sources of an answer into the other forms of the same answer.

#![expect(clippy::unwrap_used, reason = "recorded data that cannot be read fails the test")]

mod answers;

use std::collections::BTreeMap;

use config_server::engine::document::{Format, Limits};
use config_server::engine::parse::parse;
use config_server::engine::query::Query;
use config_server::engine::render::{Envelope, Merged, environment, merged};

use answers::{Answers, Recorded, Suite};

use crate::recorded::{self, data};

fn suites() -> Vec<Suite> {
    let cases = std::fs::read_dir(data().join("cases")).unwrap();
    let mut paths: Vec<_> = cases.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| Suite::load(path)).collect()
}

/// Files of every repository's head, by `repository/path`.
fn files_at_the_heads() -> anyhow::Result<BTreeMap<String, Vec<u8>>> {
    let mut files = BTreeMap::new();
    for name in recorded::names()? {
        let of_this = recorded::files_at_head(&name)?.into_iter();
        files.extend(of_this.map(|file| (format!("{name}/{}", file.path), file.content)));
    }
    Ok(files)
}

/// Fails with every difference, or when next to nothing was compared.
#[track_caller]
fn report(differences: &[String], compared: usize, least: usize) {
    let shown = differences.join("\n");
    assert!(
        differences.is_empty(),
        "{} of {compared} differ:\n{shown}",
        differences.len()
    );
    assert!(compared >= least, "only {compared} compared");
}

fn first_difference<'t>(want: &'t str, got: &'t str) -> (&'t str, &'t str) {
    let ended = std::iter::repeat("(ended)");
    let mut pairs = want.lines().chain(ended.clone()).zip(got.lines().chain(ended));
    pairs
        .find(|(want, got)| want != got || *want == "(ended)")
        .unwrap_or_default()
}

fn without(lines: &str, part: &str) -> String {
    lines
        .split_inclusive('\n')
        .filter(|line| !line.contains(part))
        .collect()
}

#[test]
fn every_recorded_file_has_the_recorded_keys_types_order_and_origins() {
    let repositories = files_at_the_heads().unwrap();
    let mut recorded: BTreeMap<(String, usize), String> = BTreeMap::new();
    for suite in suites().iter().filter(|suite| !suite.rewrites_values()) {
        for answer in suite.environments(Answers::WithOrigins) {
            for (name, source) in answer.sources() {
                let (file, index) = name.split_once(" (document #").unwrap_or((&name, "0)"));
                let index = index.trim_end_matches(')').parse().unwrap();
                if let Some(path) = file.strip_prefix("{repos}/") {
                    recorded.insert((path.to_owned(), index), source);
                }
            }
        }
    }
    let mut compared = 0;
    let mut differences = Vec::new();
    for ((path, index), source) in &recorded {
        // Files of other labels than the recorded branch's head are not in the table.
        let Some(bytes) = repositories.get(path) else { continue };
        // An import may say what a file without an extension is.
        let format = Format::of(path).unwrap_or(Format::Yaml);
        let documents = parse(format, bytes, &Limits::default());
        let got = documents.map(|documents| answers::spell(&documents[*index].properties));
        // The server decrypts: such values end up elsewhere in an answer.
        let got = got.map_or_else(|fault| fault.to_string(), |got| without(&got, " = \"{cipher}"));
        let source = &without(source, "invalid.");
        compared += 1;
        if got != *source {
            let (want, got) = first_difference(source, &got);
            differences.push(format!("{path} #{index}\n  want {want}\n  got  {got}"));
        }
    }
    report(&differences, compared, 100);
}

#[test]
fn every_recorded_environment_is_rendered_byte_by_byte() {
    let mut compared = 0;
    let mut differences = Vec::new();
    for suite in suites() {
        for form in [Answers::Plain, Answers::WithOrigins] {
            for answer in suite.environments(form) {
                let query = Query {
                    name: answer.text("name"),
                    applications: Vec::new(),
                    profiles_text: answer.profiles(),
                    profiles: Vec::new(),
                    label: answer.optional("label"),
                };
                let (version, state) = (answer.optional("version"), answer.optional("state"));
                let envelope = Envelope {
                    query: &query,
                    version: version.as_deref(),
                    state: state.as_deref(),
                    origins: form == Answers::WithOrigins,
                };
                let got = environment(&envelope, &answer.as_sources());
                compared += 1;
                if got != answer.body.as_bytes() {
                    let got = String::from_utf8_lossy(&got);
                    differences.push(format!(
                        "{} {}\n  want {}\n  got  {got}",
                        suite.name, answer.path, answer.body
                    ));
                }
            }
        }
    }
    report(&differences, compared, 500);
}

#[test]
fn every_recorded_merged_file_follows_from_its_environment() {
    let mut compared = 0;
    let mut differences = Vec::new();
    // In a history the same path has several answers.
    for suite in suites().iter().filter(|suite| suite.name != "history") {
        let environments: BTreeMap<_, _> = suite
            .environments(Answers::Plain)
            .map(|answer| (answer.path.clone(), answer))
            .collect();
        for case in suite.merged() {
            let Some(environment) = environments.get(&case.environment) else {
                continue;
            };
            if suite.name == "overrides" && case.form == Merged::Yaml {
                // Placeholders of overrides are resolved, with a type, before they get to the engine.
                continue;
            }
            let sources = environment.as_sources();
            let got = merged(
                case.form,
                &sources,
                case.resolve,
                suite.strips_document(),
                &Limits::default(),
            );
            compared += 1;
            let agrees = match (&got, &case.recorded) {
                (Ok(bytes), Recorded::Body(body)) => bytes == body.as_bytes(),
                (Err(_), Recorded::Refused) => true,
                _ => false,
            };
            if !agrees {
                let got = got.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
                differences.push(format!(
                    "{} {}\n  want {:?}\n  got  {got:?}",
                    suite.name, case.path, case.recorded
                ));
            }
        }
    }
    report(&differences, compared, 300);
}
