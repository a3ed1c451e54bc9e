//! The pairs a mapping really has: duplicates refused, `<<` merged as SnakeYAML does.
//!
//! Spring wraps every scalar with its origin, except the keys of a mapping that it reads as a
//! value. A mapping written inside a `<<` is never read as a value, so its keys stay wrapped, and a
//! wrapped key is not equal to the same text unwrapped: such pairs do not give way to local ones,
//! and the last one wins when the keys are spelt out (contract 3.1).

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt::Write as _;
use std::sync::Arc;

use super::super::super::document::Fault;
use super::super::super::value::Value;
use super::compose::{Content, Entries, Graph, NodeId, fault};
use super::flatten::Budget;
use super::scalar::{self, Tag};

/// One effective pair.
#[derive(Debug, Clone)]
pub(super) struct Pair {
    pub key: Key,
    pub value: NodeId,
}

/// A key as Java compares it: by type and value, and by being wrapped.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Key {
    kind: Kind,
    wrapped: bool,
    text: Arc<str>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Text,
    Null,
    Bool,
    Integer,
    Double,
    Bytes,
    Collection,
}

/// Collects pairs; the first sighting of a key fixes its position.
#[derive(Default)]
struct Merge {
    pairs: Vec<Pair>,
    positions: HashMap<Key, usize>,
}

impl Key {
    /// How the key is spelt in a property: texts as they are, anything else in brackets.
    pub(super) fn spelt(&self) -> Arc<str> {
        match self.kind {
            Kind::Text => Arc::clone(&self.text),
            _ => format!("[{}]", self.text).into(),
        }
    }

    /// The key as an element of a set.
    pub(super) fn value(&self) -> Value {
        let text = || Value::Text(Arc::clone(&self.text));
        match self.kind {
            Kind::Null => Value::Text("".into()),
            Kind::Bool => Value::Bool(&*self.text == "true"),
            Kind::Integer => match self.text.parse() {
                Ok(integer) => Value::Integer(integer),
                Err(_) => Value::BigInteger(Arc::clone(&self.text)),
            },
            Kind::Double => self.text.parse().map_or_else(|_| text(), Value::Double),
            Kind::Text | Kind::Bytes | Kind::Collection => text(),
        }
    }

    /// Spelt as written, and equal to no key that is spelt alike.
    pub(super) fn is_plain_text(&self) -> bool {
        self.kind == Kind::Text && !self.wrapped && !self.text.starts_with('[')
    }

    fn read(graph: &Graph, id: NodeId, wrapped: bool, budget: &mut Budget) -> Result<Self, Fault> {
        let node = graph.node(id);
        let (kind, text) = match &node.content {
            Content::Scalar { tag: Tag::Text, text } => (Kind::Text, Arc::clone(text)),
            Content::Scalar { tag, text } => match scalar::construct(*tag, text, node.mark)? {
                None => (Kind::Null, "null".into()),
                Some(Value::Text(text)) => (Kind::Text, text),
                Some(value) => (Kind::of(&value), value.to_string().into()),
            },
            Content::Sequence { .. } | Content::Mapping { .. } => {
                let mut text = String::new();
                spell(graph, id, &mut text, budget)?;
                (Kind::Collection, text.into())
            }
        };
        Ok(Self { kind, wrapped, text })
    }
}

impl Kind {
    fn of(value: &Value) -> Self {
        match value {
            Value::Bool(_) => Self::Bool,
            Value::Integer(_) | Value::BigInteger(_) => Self::Integer,
            Value::Double(_) => Self::Double,
            Value::Text(_) => Self::Text,
            Value::Bytes(_) => Self::Bytes,
        }
    }
}

impl Merge {
    fn local(&mut self, pair: Pair) {
        match self.positions.entry(pair.key.clone()) {
            Entry::Occupied(position) => self.pairs[*position.get()] = pair,
            Entry::Vacant(free) => {
                free.insert(self.pairs.len());
                self.pairs.push(pair);
            }
        }
    }

    fn merged(&mut self, pair: Pair) {
        if let Entry::Vacant(free) = self.positions.entry(pair.key.clone()) {
            free.insert(self.pairs.len());
            self.pairs.push(pair);
        }
    }

    /// Takes over what the mapping (or the list of mappings) after a `<<` has.
    fn merge(&mut self, graph: &Graph, id: NodeId, budget: &mut Budget) -> Result<(), Fault> {
        let node = graph.node(id);
        match &node.content {
            Content::Mapping { entries, .. } => self.mapping(graph, entries, budget),
            Content::Sequence { items, .. } => items.iter().try_for_each(|item| match &graph.node(*item).content {
                Content::Mapping { entries, .. } => self.mapping(graph, entries, budget),
                _ => Err(not_mergeable(graph, *item)),
            }),
            Content::Scalar { .. } => Err(not_mergeable(graph, id)),
        }
    }

    fn mapping(&mut self, graph: &Graph, entries: &Entries, budget: &mut Budget) -> Result<(), Fault> {
        match entries {
            Entries::Effective(pairs) => {
                for pair in pairs.iter() {
                    self.merged(pair.clone());
                }
            }
            Entries::Written(written) => {
                for (key, value) in written {
                    if is_merge(graph, *key) {
                        self.merge(graph, *value, budget)?;
                    } else {
                        let key = Key::read(graph, *key, true, budget)?;
                        self.merged(Pair { key, value: *value });
                    }
                }
            }
        }
        Ok(())
    }
}

/// The effective pairs of a mapping that is read as a value, remembered in the graph.
pub(super) fn pairs(graph: &mut Graph, id: NodeId, budget: &mut Budget) -> Result<Arc<[Pair]>, Fault> {
    let Content::Mapping { entries, .. } = &graph.node(id).content else {
        return Ok(Arc::from([]));
    };
    let written = match entries {
        Entries::Effective(pairs) => return Ok(Arc::clone(pairs)),
        Entries::Written(written) => written,
    };
    let pairs = effective(graph, written, budget)?;
    if let Content::Mapping { entries, .. } = &mut graph.node_mut(id).content {
        *entries = Entries::Effective(Arc::clone(&pairs));
    }
    Ok(pairs)
}

fn effective(graph: &Graph, written: &[(NodeId, NodeId)], budget: &mut Budget) -> Result<Arc<[Pair]>, Fault> {
    let mut merge = Merge::default();
    let mut seen = HashMap::with_capacity(written.len());
    for (key, value) in written {
        if is_merge(graph, *key) {
            merge.merge(graph, *value, budget)?;
            continue;
        }
        let mark = graph.node(*key).mark;
        let pair = Pair {
            key: Key::read(graph, *key, false, budget)?,
            value: *value,
        };
        if let Some(first) = seen.insert(pair.key.clone(), mark.line) {
            let message = format!("the key `{}` is already on line {first}", pair.key.text);
            return Err(fault(mark, message));
        }
        merge.local(pair);
    }
    Ok(merge.pairs.into())
}

fn is_merge(graph: &Graph, key: NodeId) -> bool {
    matches!(&graph.node(key).content, Content::Scalar { tag: Tag::Merge, .. })
}

fn not_mergeable(graph: &Graph, id: NodeId) -> Fault {
    fault(graph.node(id).mark, "`<<` takes a mapping or a list of mappings")
}

/// A collection used as a key, as Java prints one: `[a, b]`, `{a=1}`.
fn spell(graph: &Graph, id: NodeId, text: &mut String, budget: &mut Budget) -> Result<(), Fault> {
    let node = graph.node(id);
    let before = text.len();
    match &node.content {
        Content::Scalar { tag, text: raw } => {
            if let Some(value) = scalar::construct(*tag, raw, node.mark)? {
                // Writing into a string cannot fail.
                let _ = write!(text, "{value}");
            }
        }
        Content::Sequence { items, .. } => {
            text.push('[');
            for (index, item) in items.iter().enumerate() {
                text.push_str(if index == 0 { "" } else { ", " });
                spell(graph, *item, text, budget)?;
            }
            text.push(']');
        }
        Content::Mapping { entries, .. } => {
            text.push('{');
            if let Entries::Written(written) = entries {
                for (index, (key, value)) in written.iter().enumerate() {
                    text.push_str(if index == 0 { "" } else { ", " });
                    spell(graph, *key, text, budget)?;
                    text.push('=');
                    spell(graph, *value, text, budget)?;
                }
            }
            text.push('}');
        }
    }
    budget.take(text.len() - before, node.mark)
}
