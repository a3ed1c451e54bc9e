//! Flat keys into a tree: step 2 of contract 1.5, odd corners included.
//!
//! Where a value already stands and a map is needed, the rest of the key goes beside it with the
//! name of the value in front (`org: WARN`, `org.x: INFO`). The stock server finds the place with
//! one walk that remembers that name up to the leaf, so below such a place keys land where nobody
//! would look for them; clients see these trees, so they are the same here.

use std::borrow::Cow;

use indexmap::IndexMap;
use indexmap::map::Entry;

use super::super::document::Limits;
use super::super::value::Value;
use super::RenderError;
use super::flat::Flat;

/// Children in order.
pub(super) type Map<'a> = IndexMap<Cow<'a, str>, Node<'a>>;

#[derive(Debug, PartialEq)]
pub(super) enum Node<'a> {
    /// A gap in a list.
    Null,
    Leaf(Cow<'a, Value>),
    List(Vec<Self>),
    Map(Map<'a>),
}

/// What follows the part of a key that was read last.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    Map,
    List,
    End,
}

/// Walks one key from left to right.
struct Walk<'a, 'b> {
    key: &'a str,
    rest: &'a str,
    /// The value that stood in the way last, with a dot.
    prefix: Cow<'a, str>,
    depth: usize,
    nodes: &'b mut usize,
    limits: &'b Limits,
}

/// The tree of all keys.
pub(super) fn nest<'a>(flat: Flat<'a>, limits: &Limits) -> Result<Map<'a>, RenderError> {
    let mut root = Map::new();
    let mut nodes = 0;
    for (key, value) in flat {
        let walk = Walk {
            key,
            rest: key,
            prefix: Cow::Borrowed(""),
            depth: 0,
            nodes: &mut nodes,
            limits,
        };
        walk.into_map(&mut root, value)?;
    }
    Ok(root)
}

impl<'a> Walk<'a, '_> {
    fn into_map(mut self, map: &mut Map<'a>, value: Cow<'a, Value>) -> Result<(), RenderError> {
        self.enter()?;
        let (name, next) = self.name()?;
        match next {
            Next::End => {
                let name = if self.prefix.is_empty() {
                    Cow::Borrowed(name)
                } else {
                    self.prefix + name
                };
                map.insert(name, Node::Leaf(value));
                Ok(())
            }
            Next::Map
                if map
                    .get(name)
                    .is_some_and(|node| !matches!(node, Node::Map(_) | Node::Null)) =>
            {
                self.prefix = format!("{name}.").into();
                self.into_map(map, value)
            }
            Next::Map => match child(map, name, || Node::Map(Map::new())) {
                Node::Map(inner) => self.into_map(inner, value),
                _ => Err(self.fault("it is a value and a map")),
            },
            Next::List => match child(map, name, || Node::List(Vec::new())) {
                Node::List(inner) => self.into_list(inner, value),
                _ => Err(self.clash("it is a list and something else")),
            },
        }
    }

    fn into_list(mut self, list: &mut Vec<Node<'a>>, value: Cow<'a, Value>) -> Result<(), RenderError> {
        self.enter()?;
        let (index, next) = self.index()?;
        self.fill(list, index)?;
        let place = &mut list[index];
        match next {
            Next::End => {
                *place = Node::Leaf(value);
                Ok(())
            }
            Next::Map => match open(place, || Node::Map(Map::new())) {
                Node::Map(inner) => self.into_map(inner, value),
                _ => Err(self.clash("it is a map and something else")),
            },
            Next::List => match open(place, || Node::List(Vec::new())) {
                Node::List(inner) => self.into_list(inner, value),
                _ => Err(self.clash("it is a list and something else")),
            },
        }
    }

    /// The name up to the next dot, or up to brackets around a number.
    fn name(&mut self) -> Result<(&'a str, Next), RenderError> {
        let mut bracket = None;
        for (at, byte) in self.rest.bytes().enumerate() {
            let next = match byte {
                b'.' => Some((at, Next::Map, at + 1)),
                b'[' => {
                    bracket = Some(at);
                    None
                }
                b']' => bracket
                    .filter(|start| self.rest[start + 1..at].parse::<i32>().is_ok())
                    .map(|start| (start, Next::List, start + 1)),
                _ => None,
            };
            if let Some((end, next, after)) = next {
                if end == 0 {
                    return Err(self.fault("a part of it is empty"));
                }
                let name = &self.rest[..end];
                self.rest = &self.rest[after..];
                return Ok((name, next));
            }
        }
        Ok((std::mem::take(&mut self.rest), Next::End))
    }

    /// The number up to `]`, and what stands after it.
    fn index(&mut self) -> Result<(usize, Next), RenderError> {
        let parsed = self
            .rest
            .split_once(']')
            .filter(|(digits, _)| digits.bytes().all(|byte| byte.is_ascii_digit()));
        let Some((digits, rest)) = parsed else {
            return Err(self.fault("a list takes numbers"));
        };
        let index = digits.parse::<i32>().ok().and_then(|index| usize::try_from(index).ok());
        let index = index.ok_or_else(|| self.fault("a list takes numbers up to 2147483647"))?;
        let (next, rest) = match rest.as_bytes() {
            [] => (Next::End, rest),
            [b'.', ..] => (Next::Map, &rest[1..]),
            [b'[', ..] => (Next::List, &rest[1..]),
            _ => return Err(self.fault("text stands after a bracket")),
        };
        self.rest = rest;
        Ok((index, next))
    }

    /// Gaps are null; they count, for one key can ask for any number of them.
    fn fill(&mut self, list: &mut Vec<Node<'a>>, index: usize) -> Result<(), RenderError> {
        let missing = (index + 1).saturating_sub(list.len());
        *self.nodes = self.nodes.saturating_add(missing);
        if *self.nodes > self.limits.nodes {
            return Err(RenderError::Limit(Limits::NODES));
        }
        list.extend(std::iter::repeat_with(|| Node::Null).take(missing));
        Ok(())
    }

    fn enter(&mut self) -> Result<(), RenderError> {
        self.depth += 1;
        if self.depth > self.limits.depth {
            return Err(RenderError::Limit(Limits::DEPTH));
        }
        Ok(())
    }

    fn clash(&self, reason: &'static str) -> RenderError {
        RenderError::Clash {
            key: self.key.to_owned(),
            reason,
        }
    }

    fn fault(&self, reason: &'static str) -> RenderError {
        RenderError::Key {
            key: self.key.to_owned(),
            reason,
        }
    }
}

fn child<'m, 'a>(map: &'m mut Map<'a>, name: &'a str, new: impl FnOnce() -> Node<'a>) -> &'m mut Node<'a> {
    match map.entry(Cow::Borrowed(name)) {
        Entry::Occupied(entry) => open(entry.into_mut(), new),
        Entry::Vacant(entry) => entry.insert(new()),
    }
}

fn open<'m, 'a>(place: &'m mut Node<'a>, new: impl FnOnce() -> Node<'a>) -> &'m mut Node<'a> {
    if *place == Node::Null {
        *place = new();
    }
    place
}
