//! A parsed file with its directives understood: when its documents count, what they import, which
//! profiles they add. Made once per content, not per request.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::expression::Expression;
use crate::engine::document::{Document, Fault, Format, Limits};
use crate::engine::parse::parse;
use crate::engine::value::{Origin, Property, Value};

/// One file, ready for queries.
#[derive(Debug)]
pub struct Prepared {
    pub documents: Arc<[Document]>,
    /// One for each document.
    pub(super) directives: Box<[Directives]>,
    /// What is wrong with the file when it is read for a profile (contract 2.2).
    pub(super) profile_fault: Option<Fault>,
}

/// What one document asks of the search.
#[derive(Debug, Default)]
pub(super) struct Directives {
    pub(super) gate: Gate,
    pub(super) imports: Vec<Box<str>>,
    pub(super) includes: Vec<Box<str>>,
    /// `spring.profiles.group.<profile>` and its members.
    pub(super) groups: Vec<(Box<str>, Vec<Box<str>>)>,
    /// Where the first of the includes or groups stands.
    pub(super) profiles_at: Option<Origin>,
    /// Where `spring.config.activate.on-profile` stands.
    pub(super) gate_at: Option<Origin>,
}

/// When a document counts.
#[derive(Debug, Default)]
pub(super) enum Gate {
    #[default]
    Always,
    /// `on-cloud-platform`: this server's platform is nobody's business.
    Never,
    /// Any of these holds.
    When(Vec<Expression>),
    /// The same, but placeholders decide what they are.
    Unresolved(Vec<Box<str>>),
}

/// A directive's value: one comma list, or indexed items taken as they are.
#[derive(Debug, Default)]
struct Texts {
    list: Option<String>,
    items: BTreeMap<usize, String>,
}

/// The directives of one document as they stand in it.
#[derive(Debug, Default)]
struct Raw<'d> {
    on_profile: Texts,
    cloud_platform: Texts,
    imports: Texts,
    includes: Texts,
    groups: BTreeMap<&'d str, Texts>,
    gate_at: Option<Origin>,
    profiles_at: Option<Origin>,
}

impl Prepared {
    /// # Errors
    /// The [`Fault`] that keeps the file from being read, or one of its directives from being understood.
    pub fn read(format: Format, bytes: &[u8], limits: &Limits) -> Result<Self, Fault> {
        Self::of(parse(format, bytes, limits)?.into())
    }

    /// What the documents import, as written.
    pub fn imports(&self) -> impl Iterator<Item = &str> {
        self.directives
            .iter()
            .flat_map(|directives| &directives.imports)
            .map(|import| &**import)
    }

    /// The profiles that the documents add to those asked for.
    pub fn added_profiles(&self) -> impl Iterator<Item = &str> {
        self.directives.iter().flat_map(Directives::added_profiles)
    }

    fn of(documents: Arc<[Document]>) -> Result<Self, Fault> {
        let directives: Result<_, Fault> = documents.iter().map(Directives::of).collect();
        let properties = || documents.iter().flat_map(|document| document.properties.iter());
        Ok(Self {
            directives: directives?,
            profile_fault: properties().find_map(fault_in_profile_file),
            documents,
        })
    }
}

impl Directives {
    fn of(document: &Document) -> Result<Self, Fault> {
        let mut raw = Raw::default();
        for property in document.properties.iter() {
            if begins_with_spring(&property.key) {
                raw.take(property)?;
            }
        }
        raw.understand()
    }

    fn added_profiles(&self) -> impl Iterator<Item = &str> {
        let members = self.groups.iter().flat_map(|(_, members)| members);
        self.includes.iter().chain(members).map(|profile| &**profile)
    }

    pub(super) fn extends_profiles(&self) -> bool {
        !self.includes.is_empty() || !self.groups.is_empty()
    }
}

impl<'d> Raw<'d> {
    fn take(&mut self, property: &'d Property) -> Result<(), Fault> {
        let uniform = uniform(&property.key);
        let names: Vec<&str> = uniform.split('.').collect();
        match names.as_slice() {
            ["spring", "profiles"] | ["spring", "profiles", "0"] => return Err(legacy_profiles(property)),
            ["spring", "profiles", "include", index @ ..] => {
                self.profiles_at = self.profiles_at.or(property.origin);
                self.includes.add(index, &property.value);
            }
            ["spring", "profiles", "group", _, index @ ..] => {
                self.profiles_at = self.profiles_at.or(property.origin);
                let group = elements(&property.key).nth(3).unwrap_or_default();
                self.groups.entry(group).or_default().add(index, &property.value);
            }
            ["spring", "config", "import", index @ ..] => self.imports.add(index, &property.value),
            ["spring", "config", "activate", "onprofile", index @ ..] => {
                self.gate_at = self.gate_at.or(property.origin);
                self.on_profile.add(index, &property.value);
            }
            ["spring", "config", "activate", "oncloudplatform"] => self.cloud_platform.add(&[], &property.value),
            _ => {}
        }
        Ok(())
    }

    fn understand(self) -> Result<Directives, Fault> {
        let gate = if self.cloud_platform.into_texts().is_empty() {
            Gate::of(self.on_profile.into_texts(), self.gate_at)?
        } else {
            Gate::Never
        };
        let members = |(group, members): (&str, Texts)| (group.into(), members.into_texts());
        Ok(Directives {
            gate,
            imports: self.imports.into_texts(),
            includes: self.includes.into_texts(),
            groups: self.groups.into_iter().map(members).collect(),
            profiles_at: self.profiles_at,
            gate_at: self.gate_at,
        })
    }
}

impl Gate {
    fn of(texts: Vec<Box<str>>, at: Option<Origin>) -> Result<Self, Fault> {
        if texts.is_empty() {
            Ok(Self::Always)
        } else if texts.iter().any(|text| text.contains("${")) {
            Ok(Self::Unresolved(texts))
        } else {
            expressions(&texts, at).map(Self::When)
        }
    }
}

/// The expressions of one `on-profile`.
pub(super) fn expressions<T: AsRef<str>>(texts: &[T], at: Option<Origin>) -> Result<Vec<Expression>, Fault> {
    let parse = |text: &T| {
        Expression::parse(text.as_ref()).map_err(|error| {
            fault(
                at,
                format!("the expression of `spring.config.activate.on-profile` {error}"),
            )
        })
    };
    texts.iter().map(parse).collect()
}

pub(super) fn fault(at: Option<Origin>, message: String) -> Fault {
    let at = at.unwrap_or(Origin { line: 1, column: 1 });
    Fault::new(at.line, at.column, message)
}

impl Texts {
    fn add(&mut self, index: &[&str], value: &Value) {
        let text = value.to_string();
        match index {
            [] => self.list = Some(text),
            [index] => {
                if let Ok(index) = index.parse() {
                    self.items.insert(index, text);
                }
            }
            _ => {}
        }
    }

    fn into_texts(self) -> Vec<Box<str>> {
        let texts: Vec<Box<str>> = match &self.list {
            Some(list) => list.split(',').map(|item| item.trim().into()).collect(),
            None => self.items.into_values().map(|item| item.trim().into()).collect(),
        };
        texts.into_iter().filter(|text| !text.is_empty()).collect()
    }
}

fn legacy_profiles(property: &Property) -> Fault {
    let message = "`spring.profiles` is no longer read; write `spring.config.activate.on-profile`";
    fault(property.origin, message.to_owned())
}

/// Profiles cannot be chosen by what is only read once they are chosen.
fn fault_in_profile_file(property: &Property) -> Option<Fault> {
    if !begins_with_spring(&property.key) {
        return None;
    }
    let uniform = uniform(&property.key);
    let names: Vec<&str> = uniform.split('.').collect();
    match names.as_slice() {
        ["spring", "profiles", kind @ ("include" | "active" | "default")]
        | ["spring", "profiles", kind @ ("include" | "active" | "default"), "0"] => {
            let message = format!("`spring.profiles.{kind}` cannot stand in a file that belongs to a profile");
            Some(fault(property.origin, message))
        }
        _ => None,
    }
}

fn begins_with_spring(key: &str) -> bool {
    key.get(..6).is_some_and(|start| start.eq_ignore_ascii_case("spring"))
}

/// `a.b[c]` in its elements `a`, `b`, `c`.
fn elements(key: &str) -> impl Iterator<Item = &str> {
    key.split(['.', '[', ']']).filter(|element| !element.is_empty())
}

/// The form in which Spring compares keys, its elements divided by `.`: no hyphens or underscores,
/// lower case.
fn uniform(key: &str) -> String {
    let mut uniform = String::with_capacity(key.len());
    for element in elements(key) {
        if !uniform.is_empty() {
            uniform.push('.');
        }
        uniform.extend(
            element
                .chars()
                .filter(|c| c.is_alphanumeric())
                .flat_map(char::to_lowercase),
        );
    }
    uniform
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prepared(properties: &[(&str, &str)]) -> Result<Prepared, Fault> {
        let property = |(line, (key, value)): (usize, &(&str, &str))| Property {
            key: (*key).into(),
            value: Value::Text((*value).into()),
            origin: Some(Origin {
                line: line as u32 + 1,
                column: 1,
            }),
        };
        let document = Document {
            index: 0,
            properties: properties.iter().enumerate().map(property).collect(),
        };
        Prepared::of([document].into())
    }

    fn texts(texts: &[Box<str>]) -> Vec<&str> {
        texts.iter().map(AsRef::as_ref).collect()
    }

    #[test]
    fn lists_are_comma_texts_or_items() {
        let prepared = prepared(&[
            ("spring.config.import", "a.yml, b.yml"),
            ("spring.profiles.include[0]", "one"),
            ("spring.profiles.include[1]", "two"),
            ("spring.profiles.group.dev", "g1,g2"),
            ("spring.profiles.group.g1[0]", "g3"),
        ])
        .unwrap();
        let directives = &prepared.directives[0];
        assert_eq!(texts(&directives.imports), ["a.yml", "b.yml"]);
        assert_eq!(texts(&directives.includes), ["one", "two"]);
        assert_eq!(&*directives.groups[0].0, "dev");
        assert_eq!(texts(&directives.groups[0].1), ["g1", "g2"]);
        assert_eq!(texts(&directives.groups[1].1), ["g3"]);
    }

    #[test]
    fn names_are_relaxed() {
        let prepared = prepared(&[("Spring.Config.activate.onProfile", "dev")]).unwrap();
        assert!(matches!(&prepared.directives[0].gate, Gate::When(expressions) if expressions.len() == 1));
    }

    #[test]
    fn an_empty_condition_is_none_and_a_cloud_platform_is_never_ours() {
        assert!(matches!(
            prepared(&[("spring.config.activate.on-profile", "")])
                .unwrap()
                .directives[0]
                .gate,
            Gate::Always
        ));
        let cloud = prepared(&[("spring.config.activate.on-cloud-platform", "kubernetes")]).unwrap();
        assert!(matches!(cloud.directives[0].gate, Gate::Never));
    }

    #[test]
    fn mistakes_say_where_they_stand() {
        let legacy = prepared(&[("a", "1"), ("spring.profiles", "dev")]).unwrap_err();
        assert_eq!(legacy.line, 2);
        let mixed = prepared(&[("spring.config.activate.on-profile", "a & b | c")]).unwrap_err();
        assert!(mixed.message.contains("without parentheses"), "{mixed}");
        let fault = prepared(&[("a", "1"), ("spring.profiles.active", "x")])
            .unwrap()
            .profile_fault;
        assert_eq!(fault.unwrap().line, 2);
        assert_eq!(
            prepared(&[("spring.profiles.validate", "false")])
                .unwrap()
                .profile_fault,
            None
        );
    }
}
