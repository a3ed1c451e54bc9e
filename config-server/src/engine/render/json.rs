//! Compact JSON as Jackson writes it: numbers as Java spells them, only what must be is escaped.

use std::io::Write as _;

use super::super::value::Value;
use super::nest::Node;

/// A tree of merged properties.
pub(super) fn tree(out: &mut Vec<u8>, node: &Node<'_>) {
    match node {
        Node::Null => out.extend_from_slice(b"null"),
        Node::Leaf(leaf) => value(out, leaf),
        Node::List(items) => {
            out.push(b'[');
            separated(out, items, tree);
            out.push(b']');
        }
        Node::Map(map) => {
            out.push(b'{');
            separated(out, map, |out, (key, node)| {
                string(out, key);
                out.push(b':');
                tree(out, node);
            });
            out.push(b'}');
        }
    }
}

/// Numbers past JSON are texts: `"Infinity"`, `"NaN"`.
pub(super) fn value(out: &mut Vec<u8>, value: &Value) {
    let is_bare = match value {
        Value::Text(text) => return string(out, text),
        Value::Double(number) => number.is_finite(),
        Value::Bytes(_) => false,
        Value::Bool(_) | Value::Integer(_) | Value::BigInteger(_) => true,
    };
    let quote: &[u8] = if is_bare { b"" } else { b"\"" };
    out.extend_from_slice(quote);
    // Writing into a vector cannot fail.
    let _ = write!(out, "{value}");
    out.extend_from_slice(quote);
}

pub(super) fn optional(out: &mut Vec<u8>, text: Option<&str>) {
    match text {
        Some(text) => string(out, text),
        None => out.extend_from_slice(b"null"),
    }
}

pub(super) fn string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    let bytes = text.as_bytes();
    let mut written = 0;
    for (at, byte) in bytes.iter().enumerate() {
        let short = match byte {
            b'"' | b'\\' => *byte,
            b'\n' => b'n',
            b'\r' => b'r',
            b'\t' => b't',
            0x08 => b'b',
            0x0c => b'f',
            0..0x20 => b'u',
            _ => continue,
        };
        out.extend_from_slice(&bytes[written..at]);
        out.extend_from_slice(&[b'\\', short]);
        if short == b'u' {
            // Writing into a vector cannot fail.
            let _ = write!(out, "{byte:04X}");
        }
        written = at + 1;
    }
    out.extend_from_slice(&bytes[written..]);
    out.push(b'"');
}

pub(super) fn separated<T>(
    out: &mut Vec<u8>,
    items: impl IntoIterator<Item = T>,
    mut write: impl FnMut(&mut Vec<u8>, T),
) {
    for (index, item) in items.into_iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write(out, item);
    }
}
