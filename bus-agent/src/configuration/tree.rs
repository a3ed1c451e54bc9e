//! The keys below a prefix as a tree, for whoever binds or nests them.

use std::collections::BTreeMap;

use indexmap::IndexMap;

use super::key::{Segment, canonical_name, segments};
use super::{Configuration, Entry};

/// One key and everything below it.
#[derive(Debug, Default)]
pub struct Node<'c> {
    /// The whole key, as it is written.
    pub key: String,
    /// The value at the key itself.
    pub entry: Option<&'c Entry>,
    /// What is below a name, by its canonical spelling, in file order.
    pub members: IndexMap<String, Member<'c>>,
    /// What is below an index.
    pub items: BTreeMap<usize, Self>,
}

/// A name as it is written, and what is below it.
#[derive(Debug)]
pub struct Member<'c> {
    /// The name.
    pub name: String,
    /// What is below.
    pub node: Node<'c>,
}

impl<'c> Node<'c> {
    /// The tree at `prefix`; without any key when there is none.
    #[must_use]
    pub fn of(configuration: &'c Configuration, prefix: &str) -> Self {
        let mut root = Self {
            key: prefix.to_owned(),
            ..Self::default()
        };
        for entry in configuration.entries() {
            if let Some(below) = below(&entry.key, prefix) {
                root.insert(below, entry);
            }
        }
        root
    }

    /// Whether there is neither a value nor anything below.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entry.is_none() && !self.has_children()
    }

    /// Whether there is anything below.
    #[must_use]
    pub fn has_children(&self) -> bool {
        !self.members.is_empty() || !self.items.is_empty()
    }

    fn insert<'k>(&mut self, below: impl Iterator<Item = Segment<'k>>, entry: &'c Entry) {
        let mut node = self;
        for segment in below {
            node = node.child(&segment);
        }
        node.entry = Some(entry);
    }

    fn child(&mut self, segment: &Segment<'_>) -> &mut Self {
        match *segment {
            Segment::Index(index) => {
                let key = format!("{}[{index}]", self.key);
                self.items.entry(index).or_insert_with(|| Self::at(key))
            }
            Segment::Name(name) => {
                let key = join(&self.key, name);
                self.member(canonical_name(name), name, key)
            }
            Segment::Bracketed(name) => {
                let key = format!("{}[{name}]", self.key);
                self.member(format!("[{name}]"), name, key)
            }
        }
    }

    fn member(&mut self, canonical: String, name: &str, key: String) -> &mut Self {
        let member = self.members.entry(canonical).or_insert_with(|| Member {
            name: name.to_owned(),
            node: Self::at(key),
        });
        &mut member.node
    }

    fn at(key: String) -> Self {
        Self { key, ..Self::default() }
    }
}

/// `name` below `key`.
#[must_use]
pub fn join(key: &str, name: &str) -> String {
    if key.is_empty() {
        name.to_owned()
    } else {
        format!("{key}.{name}")
    }
}

/// The steps of `key` below `prefix`; `None` when it is not below.
fn below<'k>(key: &'k str, prefix: &str) -> Option<impl Iterator<Item = Segment<'k>> + use<'k>> {
    let mut steps = segments(key);
    for wanted in segments(prefix) {
        if !are_alike(&steps.next()?, &wanted) {
            return None;
        }
    }
    Some(steps)
}

fn are_alike(one: &Segment<'_>, other: &Segment<'_>) -> bool {
    match (one, other) {
        (Segment::Name(one), Segment::Name(other)) => canonical_name(one) == canonical_name(other),
        _ => one == other,
    }
}
