//! `docs/settings.md`, written from the table.

#![cfg(test)]

use std::fmt::Write as _;

use super::concerns::GROUPS;
use super::known::{Group, Key, Kind};

const INTRODUCTION: &str = "\
# Settings

The server reads its settings the way a Spring Boot application does, lowest precedence first: \
`application.yaml`, `.yml`, `.xml` and `.properties` in `./` and `./config/`, their variants for the active \
profiles, environment variables (`SPRING_CLOUD_CONFIG_SERVER_GIT_URI`, lists as `_0_`), `SPRING_APPLICATION_JSON`, and \
`--key=value` arguments. Names may be spelt in camel case, with dashes or with underscores; values may refer to \
others as `${key:default}`, and may be `{cipher}` texts for the key of `encrypt.*`.

`config-server check` prints what is in effect, where each value was written, and everything that is wrong. \
Names this page does not list are refused below `config-bus`, `spring.cloud.config.server`, `encrypt`, \
`spring.security` and `server.ssl`; elsewhere they are noted and left alone.

Times are `500ms`, `30s`, `5m`, `2h`, `1d` or ISO 8601; sizes are `512`, `64KiB`, `10MB` (a kilobyte has 1,024 bytes). \
This page is generated: `just regenerate`.
";

fn page() -> String {
    let mut page = INTRODUCTION.to_owned();
    for group in GROUPS {
        section(&mut page, group);
    }
    page
}

fn section(page: &mut String, group: &Group) {
    let prefixes: Vec<String> = group.prefixes.iter().map(|prefix| format!("`{prefix}`")).collect();
    let _ = write!(page, "\n## {}\n\nBelow {}.\n\n", group.title, prefixes.join(", "));
    page.push_str("| name | default | value | meaning |\n| --- | --- | --- | --- |\n");
    for key in group.keys {
        let _ = writeln!(page, "{}", line(key));
    }
}

fn line(key: &Key) -> String {
    let name = if key.name.is_empty() {
        "(itself)".into()
    } else {
        format!("`{}`", key.name)
    };
    let default = if key.default.is_empty() {
        String::new()
    } else {
        format!("`{}`", key.default)
    };
    let meaning = match key.kind {
        Kind::Ignored => format!("No effect: {}", lower(key.meaning)),
        Kind::Refused => format!("Not supported: {}.", key.meaning),
        _ => key.meaning.to_owned(),
    };
    format!(
        "| {name} | {default} | {} | {} |",
        value(key.kind),
        meaning.replace('|', "\\|")
    )
}

fn value(kind: Kind) -> String {
    match kind {
        Kind::Text => "text".into(),
        Kind::Secret => "secret text".into(),
        Kind::Values => "texts".into(),
        Kind::Flag => "`true`, `false`".into(),
        Kind::Port => "port".into(),
        Kind::Count => "number".into(),
        Kind::Time(unit) => format!("time (a plain number: {})", unit.name()),
        Kind::Size => "size".into(),
        Kind::List => "list".into(),
        Kind::Path => "path".into(),
        Kind::Choice(choices) => choices
            .iter()
            .map(|choice| format!("`{choice}`"))
            .collect::<Vec<_>>()
            .join(", "),
        Kind::Ignored | Kind::Refused => String::new(),
    }
}

/// As it goes on after a colon: an abbreviation stays what it is.
fn lower(text: &str) -> String {
    let mut chars = text.chars();
    match (chars.next(), chars.next()) {
        (Some(first), second) if !second.is_some_and(char::is_uppercase) => {
            first.to_lowercase().chain(text.chars().skip(1)).collect()
        }
        _ => text.to_owned(),
    }
}

/// Regenerate with `just regenerate`.
#[test]
fn the_manual_of_settings_is_fresh() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/settings.md");
    #[expect(clippy::disallowed_methods, reason = "how the manual is rewritten")]
    if std::env::var("UPDATE_DOCS").is_ok() {
        std::fs::write(path, page()).expect("the manual can be written");
    }
    let written = std::fs::read_to_string(path).unwrap_or_default();
    assert!(written == page(), "docs/settings.md is stale: run `just regenerate`");
}
