//! Whether two answers are the same.

use bytes::Bytes;
use http::StatusCode;
use serde_json::Value;

use super::asks::{Ask, Compared};
use crate::engine::document::{Format, Limits};
use crate::engine::parse::parse;
use crate::engine::resolve::Source;

/// What a server answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answered {
    pub(super) status: StatusCode,
    /// Lower-case, without blanks.
    pub(super) content_type: String,
    pub(super) body: Bytes,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    Same,
    /// Ours is meant to be otherwise here (`docs/deviations.md`).
    Deviates(&'static str),
    Differs(String),
}

/// Holds two answers against one another.
pub(super) fn judge(ask: &Ask, ours: &Answered, theirs: &Answered) -> Verdict {
    if ours.status != theirs.status {
        return statuses(ours.status.as_u16(), theirs.status.as_u16());
    }
    if ours.status.as_u16() >= 400 {
        return Verdict::Same;
    }
    if ours.content_type != theirs.content_type {
        return Verdict::Differs(format!("type {}, theirs {}", ours.content_type, theirs.content_type));
    }
    match ask.compared {
        Compared::Environment => environments(&ours.body, &theirs.body),
        Compared::Bytes => bytes(&ours.body, &theirs.body),
        Compared::Read if reads_alike(&ours.body, &theirs.body) && ours.body != theirs.body => {
            Verdict::Deviates("a resolved placeholder is a text, quoted where it has to be")
        }
        Compared::Read => bytes(&ours.body, &theirs.body),
    }
}

/// The pairs that `docs/deviations.md` means; any other is a difference, two refusals as well.
fn statuses(ours: u16, theirs: u16) -> Verdict {
    match (ours, theirs) {
        (500, 404) | (404, 500) => Verdict::Deviates("a broken file is told about, not hidden behind another status"),
        (422, 404 | 500) => Verdict::Deviates("what passes a limit is refused with the limit's name"),
        (400, 404) => Verdict::Deviates("names that could lead out of the repository are refused"),
        (400, 500) | (500, 400) => Verdict::Deviates("a placeholder that leads to itself is named"),
        (503, 404) => Verdict::Deviates("a repository that cannot be reached may be there soon"),
        _ => Verdict::Differs(format!("status {ours}, theirs {theirs}")),
    }
}

fn bytes(ours: &[u8], theirs: &[u8]) -> Verdict {
    if ours == theirs {
        return Verdict::Same;
    }
    let (ours, theirs) = (String::from_utf8_lossy(ours), String::from_utf8_lossy(theirs));
    let mut lines = ours.lines().zip(theirs.lines()).enumerate();
    let why = match lines.find(|(_, (ours, theirs))| ours != theirs) {
        Some((at, (ours, theirs))) => format!("line {}: {}, theirs {}", at + 1, shown(ours), shown(theirs)),
        None => format!("{} bytes, theirs {}", ours.len(), theirs.len()),
    };
    Verdict::Differs(why)
}

/// Whether a client that reads both gets the same keys with the same texts, but for blanks at their
/// ends, which are lost without quotes. JSON is YAML, too.
fn reads_alike(ours: &[u8], theirs: &[u8]) -> bool {
    let texts = |body: &[u8]| {
        let documents = parse(Format::Yml, body, &Limits::default()).ok()?;
        let properties = documents.iter().flat_map(|document| document.properties.iter());
        Some(
            properties
                .map(|property| format!("{}={}", property.key, property.value.to_string().trim()))
                .collect::<Vec<_>>(),
        )
    };
    texts(ours).is_some_and(|ours| Some(ours) == texts(theirs))
}

fn environments(ours: &[u8], theirs: &[u8]) -> Verdict {
    match (serde_json::from_slice(ours), serde_json::from_slice(theirs)) {
        (Ok(ours), Ok(theirs)) => match first_difference(&ours, &theirs, "") {
            Some(why) => Verdict::Differs(why),
            None => Verdict::Same,
        },
        _ => Verdict::Differs("an environment that is no JSON".to_owned()),
    }
}

/// Where two environments differ first.
fn first_difference(ours: &Value, theirs: &Value, at: &str) -> Option<String> {
    match (ours, theirs) {
        (Value::Object(mine), Value::Object(other)) => {
            // The stock server keeps the overrides in no order.
            let ordered =
                mine.get("name") != Some(&Value::from(Source::OVERRIDES)) && at != "/propertySources/0/source";
            let names = |members: &serde_json::Map<String, Value>| members.keys().cloned().collect::<Vec<_>>();
            if ordered && names(mine) != names(other) || mine.len() != other.len() {
                return Some(members(at, &names(mine), &names(other)));
            }
            mine.iter().find_map(|(name, value)| {
                let Some(theirs) = other.get(name) else {
                    return Some(format!("{at}/{name}: they do not have it"));
                };
                first_difference(value, theirs, &format!("{at}/{name}"))
            })
        }
        (Value::Array(mine), Value::Array(other)) => {
            let mut pairs = mine.iter().zip(other).enumerate();
            let inner =
                pairs.find_map(|(index, (mine, other))| first_difference(mine, other, &format!("{at}/{index}")));
            let lengths = || format!("{at}: {} items, theirs {}", mine.len(), other.len());
            inner.or_else(|| (mine.len() != other.len()).then(lengths))
        }
        (Value::String(mine), Value::String(other)) if at.ends_with("/name") && same_source(mine, other) => None,
        (mine, other) if mine == other => None,
        (mine, other) => Some(format!(
            "{at}: {}, theirs {}",
            shown(&mine.to_string()),
            shown(&other.to_string())
        )),
    }
}

fn members(at: &str, ours: &[String], theirs: &[String]) -> String {
    let lacking = theirs
        .iter()
        .find(|name| !ours.contains(name))
        .map(|name| format!("only they have {name}"));
    let added = || {
        ours.iter()
            .find(|name| !theirs.contains(name))
            .map(|name| format!("only we have {name}"))
    };
    let why = lacking
        .or_else(added)
        .unwrap_or_else(|| "the members are in another order".to_owned());
    format!("{at}: {why}")
}

/// The stock server names a document after its file on the server's disk; ours says which document
/// of which file in the repository.
fn same_source(ours: &str, theirs: &str) -> bool {
    let on_disk = theirs.split_once("Config resource 'file [").and_then(|(_, rest)| {
        let (file, rest) = rest.split_once("' via location")?;
        let document = &rest[rest.rfind("(document #")?..];
        Some(format!("{} {document}", file.trim_end_matches(']').rsplit('/').next()?))
    });
    match on_disk {
        Some(document) => ours.rsplit('/').next() == Some(document.as_str()),
        None => ours == theirs,
    }
}

fn shown(text: &str) -> String {
    let short: String = text.chars().take(80).collect();
    format!("`{short}`")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(compared: Compared, ours: &str, theirs: &str) -> Verdict {
        let answered = |body: &str| Answered {
            status: StatusCode::OK,
            content_type: String::new(),
            body: body.to_owned().into(),
        };
        let ask = Ask {
            path: "a/b".to_owned(),
            accept: "*/*",
            compared,
        };
        judge(&ask, &answered(ours), &answered(theirs))
    }

    #[test]
    fn environments_differ_by_order_spelling_and_place() {
        let environment = |source: &str| {
            format!(r#"{{"propertySources":[{{"name":"n","source":{{}}}},{{"name":"x/a.yml","source":{source}}}]}}"#)
        };
        let one = environment(r#"{"a":1,"b":"2"}"#);
        for (other, why) in [
            (one.clone(), None),
            (environment(r#"{"b":"2","a":1}"#), Some("another order")),
            (
                environment(r#"{"a":1.0,"b":"2"}"#),
                Some("/propertySources/1/source/a: `1`, theirs `1.0`"),
            ),
            (environment(r#"{"a":1}"#), Some("only we have b")),
        ] {
            match (judged(Compared::Environment, &one, &other), why) {
                (Verdict::Same, None) => {}
                (Verdict::Differs(said), Some(why)) => assert!(said.contains(why), "{said}"),
                (verdict, _) => panic!("{other}: {verdict:?}"),
            }
        }
    }

    #[test]
    fn only_meant_pairs_of_statuses_are_deviations() {
        for (ours, theirs) in [(500, 404), (422, 500), (400, 404), (500, 400), (503, 404)] {
            assert!(
                matches!(statuses(ours, theirs), Verdict::Deviates(_)),
                "{ours} {theirs}"
            );
        }
        for (ours, theirs) in [(404, 401), (401, 404), (404, 400), (500, 503), (404, 200), (200, 404)] {
            assert!(matches!(statuses(ours, theirs), Verdict::Differs(_)), "{ours} {theirs}");
        }
    }

    #[test]
    fn a_document_is_the_same_under_the_stock_servers_name() {
        let theirs =
            "git://h/r/Config resource 'file [/tmp/config-repo-1/svc/foo.yml' via location 'svc/' (document #2)";
        assert!(same_source("git://h/r/svc/foo.yml (document #2)", theirs));
        assert!(!same_source("git://h/r/svc/foo.yml (document #1)", theirs));
        assert!(!same_source("git://h/r/a.yml", "git://h/r/b.yml"));
    }

    #[test]
    fn quoting_alone_is_a_deviation_and_another_value_is_not() {
        assert!(matches!(
            judged(Compared::Read, "a: '42'\n", "a: 42\n"),
            Verdict::Deviates(_)
        ));
        assert!(matches!(
            judged(Compared::Read, "a: '42 '\n", "a: 42\n"),
            Verdict::Deviates(_)
        ));
        assert!(matches!(
            judged(Compared::Read, "a: '42'\n", "a: 43\n"),
            Verdict::Differs(_)
        ));
        assert_eq!(judged(Compared::Read, "a: 1\n", "a: 1\n"), Verdict::Same);
        assert!(matches!(
            judged(Compared::Bytes, "a: '42'\n", "a: 42\n"),
            Verdict::Differs(_)
        ));
    }
}
