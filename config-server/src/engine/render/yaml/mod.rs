//! YAML in SnakeYAML's block style (contract 1.5): clients compare and diff these bytes.
//!
//! [`analysis`] says which styles can carry a text, [`scalar`] chooses and writes one, [`writer`]
//! keeps the column and the indentation.

mod analysis;
mod scalar;
mod writer;

use super::nest::{Map, Node};
use scalar::Scalar;
use writer::Writer;

/// A document on its own: dumped without the key that stands for it.
const DOCUMENT: &str = "document";

/// Where a node stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// The document itself, or an item of a list.
    Item,
    /// A key or a value of a map.
    Pair,
}

/// The tree as one YAML document. `strip_document`: a tree with the single key `document` is what
/// stands below it.
pub(super) fn dump(tree: Map<'_>, strip_document: bool) -> Vec<u8> {
    let mut writer = Writer::default();
    match tree.get(DOCUMENT) {
        Some(root) if strip_document && tree.len() == 1 => document(&mut writer, root),
        _ => node(&mut writer, &Node::Map(tree), Place::Item, None),
    }
    writer.end()
}

/// Spring dumps the root with the tag of a string, whatever it is: a number is quoted, and a map
/// carries the tag.
fn document(writer: &mut Writer, root: &Node<'_>) {
    match root {
        Node::Null => Scalar::text("null").write(writer, None, false),
        Node::Leaf(leaf) => Scalar::as_text(leaf).write(writer, None, false),
        Node::List(_) => node(writer, root, Place::Item, None),
        Node::Map(_) => {
            writer.indicator("!!str", true, false, false);
            node(writer, root, Place::Item, None);
        }
    }
}

fn node(writer: &mut Writer, node: &Node<'_>, place: Place, indent: Option<usize>) {
    match node {
        Node::Null => Scalar::null().write(writer, indent, false),
        Node::Leaf(leaf) => Scalar::value(leaf).write(writer, indent, false),
        Node::List(items) => list(writer, items, place, indent),
        Node::Map(map) if map.is_empty() => writer.indicator("{}", true, false, false),
        Node::Map(map) => self::map(writer, map, indent),
    }
}

/// A list right after its key is not indented.
fn list(writer: &mut Writer, items: &[Node<'_>], place: Place, indent: Option<usize>) {
    let inner = match indent {
        None => 0,
        Some(indent) if place == Place::Pair && !writer.is_at_indentation() => indent,
        Some(indent) => indent + writer::STEP,
    };
    for item in items {
        writer.indent(inner);
        writer.indicator("-", true, false, true);
        node(writer, item, Place::Item, Some(inner));
    }
}

fn map(writer: &mut Writer, map: &Map<'_>, indent: Option<usize>) {
    let inner = indent.map_or(0, |indent| indent + writer::STEP);
    for (key, value) in map {
        let key = Scalar::text(key);
        writer.indent(inner);
        if key.is_simple_key() {
            key.write(writer, Some(inner), true);
            writer.indicator(":", false, false, false);
        } else {
            writer.indicator("?", true, false, true);
            key.write(writer, Some(inner), false);
            writer.indent(inner);
            writer.indicator(":", true, false, true);
        }
        node(writer, value, Place::Pair, Some(inner));
    }
}
