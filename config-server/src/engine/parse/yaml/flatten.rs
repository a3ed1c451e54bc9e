//! Nodes into flat properties, as Spring flattens maps and lists (contract 3.1).

use std::fmt::Write as _;
use std::mem;
use std::sync::Arc;

use indexmap::IndexMap;

use super::super::super::document::{Fault, Limits};
use super::super::super::value::{Origin, Property, Value};
use super::compose::{Content, Graph, NodeId, fault};
use super::mapping::{self, Pair};
use super::scalar;

/// How much text one file may still become. Keys repeat what stands above them, and aliases repeat
/// values, so a small file can ask for a lot of it.
#[derive(Debug)]
pub(super) struct Budget {
    left: usize,
}

/// A flat map in the making; a later sighting of a key replaces its value in place.
type Flat = IndexMap<Arc<str>, (Value, Option<Origin>)>;

struct Walk<'a> {
    graph: &'a mut Graph,
    budget: &'a mut Budget,
    path: String,
    flat: Flat,
}

impl Budget {
    pub(super) fn new(limits: &Limits) -> Self {
        Self { left: limits.expansion }
    }

    pub(super) fn take(&mut self, bytes: usize, mark: Origin) -> Result<(), Fault> {
        let too_much = || {
            Fault::limit(
                mark.line,
                mark.column,
                "keys and values take too much",
                Limits::EXPANSION,
            )
        };
        self.left = self.left.checked_sub(bytes).ok_or_else(too_much)?;
        Ok(())
    }
}

/// The properties of one document; none for an empty one.
pub(super) fn flatten(graph: &mut Graph, budget: &mut Budget) -> Result<Vec<Property>, Fault> {
    let root = graph.root;
    let mut walk = Walk {
        graph,
        budget,
        path: String::new(),
        flat: Flat::new(),
    };
    walk.document(root)?;
    let property = |(key, (value, origin))| Property { key, value, origin };
    Ok(walk.flat.into_iter().map(property).collect())
}

impl Walk<'_> {
    /// A document that is no mapping stands under `document`; one that is empty text vanishes.
    fn document(&mut self, root: NodeId) -> Result<(), Fault> {
        let node = self.graph.node(root);
        match &node.content {
            Content::Mapping { set: false, .. } => return self.value(root),
            Content::Scalar { tag, text } => {
                let value = scalar::construct(*tag, text, node.mark)?;
                if value.is_none_or(|value| matches!(value, Value::Text(text) if text.is_empty())) {
                    return Ok(());
                }
            }
            Content::Sequence { .. } | Content::Mapping { set: true, .. } => {}
        }
        self.path.push_str("document");
        self.value(root)
    }

    fn value(&mut self, id: NodeId) -> Result<(), Fault> {
        let node = self.graph.node(id);
        let mark = node.mark;
        match &node.content {
            Content::Scalar { tag, text } => {
                let value = scalar::construct(*tag, text, mark)?;
                self.put(value.unwrap_or_else(empty), Some(mark), mark)?;
            }
            Content::Sequence { omap: false, items } if items.is_empty() => self.put(empty(), Some(mark), mark)?,
            Content::Sequence { omap: false, items } => {
                let items = Arc::clone(items);
                self.sequence(&items)?;
            }
            Content::Sequence { omap: true, items } => {
                let items = Arc::clone(items);
                self.omap(&items)?;
            }
            Content::Mapping { set: false, .. } => {
                let pairs = mapping::pairs(self.graph, id, self.budget)?;
                self.pairs(&pairs)?;
            }
            Content::Mapping { set: true, .. } => {
                let pairs = mapping::pairs(self.graph, id, self.budget)?;
                self.set(&pairs, mark)?;
            }
        }
        Ok(())
    }

    fn sequence(&mut self, items: &[NodeId]) -> Result<(), Fault> {
        for (index, item) in items.iter().enumerate() {
            self.at_index(index, |walk| walk.value(*item))?;
        }
        Ok(())
    }

    /// A list of one-pair mappings is a mapping.
    fn omap(&mut self, items: &[NodeId]) -> Result<(), Fault> {
        let mut pairs = Vec::with_capacity(items.len());
        for item in items {
            let one = mapping::pairs(self.graph, *item, self.budget)?;
            let [pair] = &*one else {
                return Err(fault(
                    self.graph.node(*item).mark,
                    "`!!omap` lists mappings of one pair",
                ));
            };
            pairs.push(pair.clone());
        }
        self.pairs(&pairs)
    }

    /// A set is the list of its keys, which have no origin.
    fn set(&mut self, pairs: &[Pair], mark: Origin) -> Result<(), Fault> {
        for (index, pair) in pairs.iter().enumerate() {
            self.at_index(index, |walk| walk.put(pair.key.value(), None, mark))?;
        }
        Ok(())
    }

    fn pairs(&mut self, pairs: &[Pair]) -> Result<(), Fault> {
        if pairs.iter().all(|pair| pair.key.is_plain_text()) {
            return pairs
                .iter()
                .try_for_each(|pair| self.pair(&pair.key.spelt(), pair.value));
        }
        // Different keys may be spelt alike: the last one wins, in the place of the first.
        let mut spelt = IndexMap::with_capacity(pairs.len());
        spelt.extend(pairs.iter().map(|pair| (pair.key.spelt(), pair.value)));
        spelt.iter().try_for_each(|(key, value)| self.pair(key, *value))
    }

    fn pair(&mut self, key: &str, value: NodeId) -> Result<(), Fault> {
        // Spring joins only to a path that has text: below a blank key the path starts anew.
        if self.path.trim().is_empty() {
            let blank = mem::replace(&mut self.path, key.to_owned());
            self.value(value)?;
            self.path = blank;
            return Ok(());
        }
        let length = self.path.len();
        if !key.starts_with('[') {
            self.path.push('.');
        }
        self.path.push_str(key);
        self.value(value)?;
        self.path.truncate(length);
        Ok(())
    }

    fn at_index(&mut self, index: usize, f: impl FnOnce(&mut Self) -> Result<(), Fault>) -> Result<(), Fault> {
        let length = self.path.len();
        // Writing into a string cannot fail.
        let _ = write!(self.path, "[{index}]");
        f(self)?;
        self.path.truncate(length);
        Ok(())
    }

    fn put(&mut self, value: Value, origin: Option<Origin>, mark: Origin) -> Result<(), Fault> {
        let length = match &value {
            Value::Text(text) | Value::BigInteger(text) => text.len(),
            Value::Bytes(bytes) => bytes.len(),
            Value::Bool(_) | Value::Integer(_) | Value::Double(_) => 0,
        };
        self.budget.take(self.path.len() + length, mark)?;
        self.flat.insert(self.path.as_str().into(), (value, origin));
        Ok(())
    }
}

fn empty() -> Value {
    Value::Text("".into())
}
