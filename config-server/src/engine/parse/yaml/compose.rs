//! Events into a graph of nodes: anchors are resolved, nothing is expanded yet.

use std::collections::HashMap;
use std::sync::Arc;

use super::super::super::document::{Fault, Limits};
use super::super::super::value::Origin;
use super::event::{Event, Events, Kind, Properties};
use super::mapping::Pair;
use super::scalar::{self, Tag};

/// Names a node of a [`Graph`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NodeId(u32);

/// The nodes of one document. An alias is the id of its anchor's node, so a few bytes can stand for
/// a tree of any size: each node knows how large and how deep it is when written out, and a document
/// past the limits is refused before anybody walks it.
#[derive(Debug)]
pub(super) struct Graph {
    pub root: NodeId,
    nodes: Vec<Node>,
}

#[derive(Debug)]
pub(super) struct Node {
    pub content: Content,
    pub mark: Origin,
    size: Size,
}

/// What a node takes once its aliases are written out.
#[derive(Debug, Clone, Copy)]
struct Size {
    /// The value itself and everything in it; keys count if there is more to them than one scalar.
    values: usize,
    levels: usize,
}

#[derive(Debug)]
pub(super) enum Content {
    Scalar { tag: Tag, text: Arc<str> },
    Sequence { omap: bool, items: Arc<[NodeId]> },
    Mapping { set: bool, entries: Entries },
}

#[derive(Debug)]
pub(super) enum Entries {
    /// As written: key and value.
    Written(Vec<(NodeId, NodeId)>),
    /// As effective, once the mapping was read as a value.
    Effective(Arc<[Pair]>),
}

/// Reads documents one by one.
pub(super) struct Composer<'input> {
    events: Events<'input>,
    depth: usize,
    /// Of all documents so far.
    values: usize,
    limits: Limits,
}

/// One document while it is read.
#[derive(Default)]
struct Draft {
    nodes: Vec<Node>,
    /// `None` while the anchored node is still open.
    anchors: HashMap<Box<str>, Option<NodeId>>,
}

impl Graph {
    pub(super) fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0 as usize]
    }

    pub(super) fn node_mut(&mut self, id: NodeId) -> &mut Node {
        &mut self.nodes[id.0 as usize]
    }
}

impl<'input> Composer<'input> {
    pub(super) fn new(bytes: &'input [u8], limits: &Limits) -> Self {
        Self {
            events: Events::new(bytes),
            depth: 0,
            values: 0,
            limits: *limits,
        }
    }

    /// The next document; `None` at the end of the stream.
    pub(super) fn document(&mut self) -> Result<Option<Graph>, Fault> {
        loop {
            match self.events.next()?.kind {
                Kind::DocumentStart => break,
                Kind::StreamEnd => return Ok(None),
                _ => {}
            }
        }
        let mut draft = Draft::default();
        let first = self.events.next()?;
        let root = self.node(&mut draft, first)?;
        self.values += draft.size(root).values;
        self.check(self.values, draft.nodes[root.0 as usize].mark)?;
        Ok(Some(Graph {
            root,
            nodes: draft.nodes,
        }))
    }

    fn node(&mut self, draft: &mut Draft, event: Event) -> Result<NodeId, Fault> {
        let mark = event.mark;
        match event.kind {
            Kind::Alias(name) => {
                let id = draft.alias(&name, mark)?;
                self.check_depth(self.depth + draft.size(id).levels, mark)?;
                Ok(id)
            }
            Kind::Scalar {
                text,
                implicit,
                properties,
            } => {
                let tag = match properties.tag.as_deref() {
                    Some(tag) if !implicit => scalar_tag(tag, mark)?,
                    _ if implicit => scalar::implicit_tag(&text),
                    _ => Tag::Text,
                };
                let anchor = draft.open(properties.anchor);
                Ok(draft.close(anchor, Content::Scalar { tag, text }, mark, Size::ONE))
            }
            Kind::SequenceStart(properties) => self.sequence(draft, properties, mark),
            Kind::MappingStart(properties) => self.mapping(draft, properties, mark),
            Kind::DocumentStart | Kind::DocumentEnd | Kind::StreamEnd | Kind::SequenceEnd | Kind::MappingEnd => {
                Err(fault(mark, "expected a value"))
            }
        }
    }

    fn sequence(&mut self, draft: &mut Draft, properties: Properties, mark: Origin) -> Result<NodeId, Fault> {
        let omap = match properties.tag.as_deref() {
            None | Some("!" | "tag:yaml.org,2002:seq") => false,
            Some("tag:yaml.org,2002:omap") => true,
            Some(tag) => return Err(unknown_tag(tag, mark)),
        };
        let anchor = draft.open(properties.anchor);
        self.enter(mark)?;
        let mut size = Size::ONE;
        let mut items = Vec::new();
        loop {
            let event = self.events.next()?;
            if matches!(event.kind, Kind::SequenceEnd) {
                break;
            }
            let item = self.node(draft, event)?;
            size.add(draft.size(item));
            self.check(size.values, mark)?;
            items.push(item);
        }
        self.depth -= 1;
        let items = items.into();
        Ok(draft.close(anchor, Content::Sequence { omap, items }, mark, size))
    }

    fn mapping(&mut self, draft: &mut Draft, properties: Properties, mark: Origin) -> Result<NodeId, Fault> {
        let set = match properties.tag.as_deref() {
            None | Some("!" | "tag:yaml.org,2002:map") => false,
            Some("tag:yaml.org,2002:set") => true,
            Some(tag) => return Err(unknown_tag(tag, mark)),
        };
        let anchor = draft.open(properties.anchor);
        self.enter(mark)?;
        let mut size = Size::ONE;
        let mut entries = Vec::new();
        loop {
            let event = self.events.next()?;
            if matches!(event.kind, Kind::MappingEnd) {
                break;
            }
            let key = self.node(draft, event)?;
            let event = self.events.next()?;
            let value = self.node(draft, event)?;
            size.add(draft.size(key));
            size.values -= 1;
            size.add(draft.size(value));
            self.check(size.values, mark)?;
            entries.push((key, value));
        }
        self.depth -= 1;
        let entries = Entries::Written(entries);
        Ok(draft.close(anchor, Content::Mapping { set, entries }, mark, size))
    }

    fn enter(&mut self, mark: Origin) -> Result<(), Fault> {
        self.depth += 1;
        self.check_depth(self.depth, mark)
    }

    fn check_depth(&self, depth: usize, mark: Origin) -> Result<(), Fault> {
        if depth > self.limits.depth {
            let message = format!("nested deeper than {} levels", self.limits.depth);
            return Err(Fault::limit(mark.line, mark.column, message, Limits::DEPTH));
        }
        Ok(())
    }

    fn check(&self, values: usize, mark: Origin) -> Result<(), Fault> {
        if values > self.limits.nodes {
            let message = format!("more than {} values once aliases are written out", self.limits.nodes);
            return Err(Fault::limit(mark.line, mark.column, message, Limits::NODES));
        }
        Ok(())
    }
}

impl Size {
    const ONE: Self = Self { values: 1, levels: 0 };

    /// A part of a collection. What is added to has passed the limit's check, so nothing overflows.
    fn add(&mut self, part: Self) {
        self.values += part.values;
        self.levels = self.levels.max(part.levels + 1);
    }
}

impl Draft {
    fn alias(&self, name: &str, mark: Origin) -> Result<NodeId, Fault> {
        match self.anchors.get(name) {
            Some(Some(id)) => Ok(*id),
            Some(None) => Err(fault(mark, format!("the alias `*{name}` stands inside its own anchor"))),
            None => Err(fault(mark, format!("the alias `*{name}` has no anchor before it"))),
        }
    }

    fn open(&mut self, anchor: Option<Box<str>>) -> Option<Box<str>> {
        if let Some(name) = &anchor {
            self.anchors.insert(name.clone(), None);
        }
        anchor
    }

    fn size(&self, id: NodeId) -> Size {
        self.nodes[id.0 as usize].size
    }

    fn close(&mut self, anchor: Option<Box<str>>, content: Content, mark: Origin, size: Size) -> NodeId {
        // A file of at most 4 GiB has fewer nodes than 2^32.
        let id = NodeId(u32::try_from(self.nodes.len()).expect("a node takes at least a byte"));
        self.nodes.push(Node { content, mark, size });
        if let Some(name) = anchor {
            self.anchors.insert(name, Some(id));
        }
        id
    }
}

pub(super) fn fault(mark: Origin, message: impl Into<String>) -> Fault {
    Fault::new(mark.line, mark.column, message)
}

fn scalar_tag(tag: &str, mark: Origin) -> Result<Tag, Fault> {
    scalar::explicit_tag(tag).ok_or_else(|| unknown_tag(tag, mark))
}

fn unknown_tag(tag: &str, mark: Origin) -> Fault {
    fault(mark, format!("the tag `{tag}` means nothing here"))
}
