//! The operator's override directory: files that win over the server.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use contract::{PropertySource, SourceValue};
use indexmap::IndexMap;
use serde_json::Value;
use thiserror::Error;

/// Largest override file in bytes, and most files.
const LARGEST: u64 = 1 << 20;
const MOST: usize = 64;

/// Why the override directory could not be used. It is read as a whole or not at all.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OverridesError {
    /// The directory or a file in it cannot be read.
    #[error("cannot read {}", .path.display())]
    Read {
        /// What.
        path: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// A file is not of the format its name says.
    #[error("{} is not valid: {reason}", .path.display())]
    Parse {
        /// Which.
        path: PathBuf,
        /// What is wrong, without the content.
        reason: String,
    },
    /// There is more than an override needs.
    #[error("{} holds more than {limit}", .path.display())]
    TooMuch {
        /// Where.
        path: PathBuf,
        /// The limit.
        limit: &'static str,
    },
}

/// Reads every `.yml`, `.yaml`, `.json` and `.properties` file of `directory`, highest precedence
/// first: by name, the last one wins, as a later file overrides an earlier. A directory that is not
/// there is empty.
///
/// # Errors
/// [`OverridesError`] when a file cannot be read whole.
pub fn read_overrides(directory: &Path) -> Result<Vec<PropertySource>, OverridesError> {
    let mut files = listed(directory)?;
    files.sort_unstable_by(|one, other| other.cmp(one));
    files.iter().map(|file| read(file)).collect()
}

fn listed(directory: &Path) -> Result<Vec<PathBuf>, OverridesError> {
    let failed = |cause| OverridesError::Read {
        path: directory.to_owned(),
        cause,
    };
    let entries = match fs::read_dir(directory) {
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(failed)?,
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.map_err(failed)?.path();
        if format_of(&path).is_some() && path.is_file() {
            files.push(path);
        }
    }
    if files.len() > MOST {
        return Err(OverridesError::TooMuch {
            path: directory.to_owned(),
            limit: "64 files",
        });
    }
    Ok(files)
}

#[derive(Clone, Copy)]
enum Format {
    /// JSON too: it is YAML.
    Yaml,
    Properties,
}

fn format_of(path: &Path) -> Option<Format> {
    match path.extension()?.to_str()? {
        "yml" | "yaml" | "json" => Some(Format::Yaml),
        "properties" => Some(Format::Properties),
        _ => None,
    }
}

fn read(path: &Path) -> Result<PropertySource, OverridesError> {
    let failed = |cause| OverridesError::Read {
        path: path.to_owned(),
        cause,
    };
    if fs::metadata(path).map_err(failed)?.len() > LARGEST {
        return Err(OverridesError::TooMuch {
            path: path.to_owned(),
            limit: "1 MiB",
        });
    }
    let text = fs::read_to_string(path).map_err(failed)?;
    let flat = match format_of(path) {
        Some(Format::Properties) => properties(&text),
        _ => yaml(path, &text)?,
    };
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    Ok(PropertySource {
        name: format!("override {name}"),
        source: flat
            .into_iter()
            .map(|(key, value)| (key, SourceValue::from(value)))
            .collect(),
    })
}

fn yaml(path: &Path, text: &str) -> Result<IndexMap<String, Value>, OverridesError> {
    let parse = |reason: String| OverridesError::Parse {
        path: path.to_owned(),
        reason,
    };
    let document: serde_yaml::Value = serde_yaml::from_str(text).map_err(|error| {
        // The parser's own text may quote the content.
        parse(error.location().map_or("unreadable".to_owned(), |at| {
            format!("line {}, column {}", at.line(), at.column())
        }))
    })?;
    let mut flat = IndexMap::new();
    match document {
        serde_yaml::Value::Null => {}
        serde_yaml::Value::Mapping(_) => flatten(String::new(), document, &mut flat),
        _ => return Err(parse("the document is not a mapping".to_owned())),
    }
    Ok(flat)
}

fn flatten(key: String, value: serde_yaml::Value, flat: &mut IndexMap<String, Value>) {
    match value {
        serde_yaml::Value::Mapping(members) => {
            for (name, member) in members {
                flatten(join(&key, &scalar_text(name)), member, flat);
            }
        }
        serde_yaml::Value::Sequence(items) if !items.is_empty() => {
            for (at, item) in items.into_iter().enumerate() {
                flatten(format!("{key}[{at}]"), item, flat);
            }
        }
        serde_yaml::Value::Tagged(tagged) => flatten(key, tagged.value, flat),
        scalar => {
            flat.insert(key, scalar_value(scalar));
        }
    }
}

fn join(key: &str, name: &str) -> String {
    if key.is_empty() || name.starts_with('[') {
        format!("{key}{name}")
    } else {
        format!("{key}.{name}")
    }
}

fn scalar_text(value: serde_yaml::Value) -> String {
    super::text_of(&scalar_value(value))
}

/// Null and the empty list are the empty text, as on the server.
fn scalar_value(value: serde_yaml::Value) -> Value {
    match value {
        serde_yaml::Value::Bool(value) => Value::Bool(value),
        serde_yaml::Value::Number(number) => serde_json::to_value(number).unwrap_or_default(),
        serde_yaml::Value::String(text) => Value::String(text),
        _ => Value::String(String::new()),
    }
}

/// `key=value`, `key: value` or `key value` lines; `#` and `!` begin comments, a backslash at the
/// end continues the line, elsewhere it escapes the next character.
fn properties(text: &str) -> IndexMap<String, Value> {
    let mut flat = IndexMap::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let mut line = line.trim_start().to_owned();
        if line.is_empty() || line.starts_with(['#', '!']) {
            continue;
        }
        while line.bytes().rev().take_while(|&byte| byte == b'\\').count() % 2 == 1 {
            line.pop();
            line.push_str(lines.next().unwrap_or_default().trim_start());
        }
        let (key, value) = split_property(&line);
        flat.insert(unescape(key), Value::String(unescape(value)));
    }
    flat
}

fn split_property(line: &str) -> (&str, &str) {
    let mut escaped = false;
    let end = line.find(|c: char| {
        let ends = !escaped && (c == '=' || c == ':' || c.is_whitespace());
        escaped = !escaped && c == '\\';
        ends
    });
    let (key, rest) = line.split_at(end.unwrap_or(line.len()));
    let rest = rest.trim_start();
    (key, rest.strip_prefix(['=', ':']).unwrap_or(rest).trim_start())
}

fn unescape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        if c != '\\' {
            plain.push(c);
            continue;
        }
        match rest.next() {
            Some('t') => plain.push('\t'),
            Some('n') => plain.push('\n'),
            Some('r') => plain.push('\r'),
            Some('f') => plain.push('\u{c}'),
            Some('u') => {
                let digits: String = rest.by_ref().take(4).collect();
                plain.push(
                    u32::from_str_radix(&digits, 16)
                        .ok()
                        .and_then(char::from_u32)
                        .unwrap_or('\u{fffd}'),
                );
            }
            Some(other) => plain.push(other),
            None => {}
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn directory(files: &[(&str, &str)]) -> tempfile::TempDir {
        let directory = tempfile::tempdir().expect("a directory");
        for (name, text) in files {
            fs::write(directory.path().join(name), text).expect("a file");
        }
        directory
    }

    #[test]
    fn the_last_file_by_name_comes_first() {
        let directory = directory(&[
            ("10-base.yml", "db: {pool: 5, hosts: [a, b]}\nempty:\n"),
            (
                "20-fix.properties",
                "# a fix\ndb.pool = 9\nlong=a\\\n  b\nuni\\u0041=x\n",
            ),
            ("notes.txt", "no"),
        ]);
        let read = read_overrides(directory.path()).expect("overrides");
        assert_eq!(read[0].name, "override 20-fix.properties");
        assert_eq!(read[0].source["db.pool"].value, "9");
        assert_eq!(read[0].source["long"].value, "ab");
        assert_eq!(read[0].source["uniA"].value, "x");
        assert_eq!(read[1].source["db.pool"].value, 5);
        assert_eq!(read[1].source["db.hosts[1]"].value, "b");
        assert_eq!(read[1].source["empty"].value, "");
        assert_eq!(read.len(), 2);
    }

    #[test]
    fn a_broken_file_is_named_and_not_quoted() {
        let directory = directory(&[("a.yml", "password: {s3cret")]);
        let error = read_overrides(directory.path()).expect_err("broken").to_string();
        assert!(error.contains("a.yml") && error.contains("line"), "{error}");
        assert!(!error.contains("s3cret"), "{error}");
    }

    #[test]
    fn no_directory_means_no_overrides() {
        assert!(
            read_overrides(Path::new("/nowhere/at/all"))
                .expect("nothing")
                .is_empty()
        );
    }
}
