//! `${key:default}` substitution (contract 1.6).

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use thiserror::Error;

use super::document::Limits;
use super::resolve::Source;
use super::value::Value;

/// What placeholders may refer to: the keys of one answer, the highest source winning. Built once
/// per snapshot and query.
#[derive(Debug, Clone, Default)]
pub struct Lookup {
    values: HashMap<Arc<str>, Value>,
}

/// Why placeholders cannot be resolved.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PlaceholderError {
    /// A placeholder that leads back to itself.
    #[error("the placeholder `{0}` leads back to itself")]
    Cycle(String),
    /// The result would pass a limit, by its setting's name.
    #[error("resolving placeholders passes the limit `{0}`")]
    Limit(&'static str),
}

/// How much of a text a placeholder is looked for in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A whole file; blanks around a key belong to it.
    Text,
    /// One value; blanks around a key do not count.
    Value,
}

/// Resolves the placeholders of one answer. What a key resolves to is remembered, so the work is
/// bounded by the texts read and written.
#[derive(Debug)]
pub struct Resolver<'l> {
    lookup: &'l Lookup,
    form: Form,
    limits: Limits,
    resolved: HashMap<Arc<str>, Arc<str>>,
    /// The keys that are being resolved, outermost first.
    open: Vec<Arc<str>>,
    depth: usize,
    grown: usize,
}

/// A `${` in a text.
struct Hole {
    start: usize,
    /// The brace that ends it, if any.
    end: Option<usize>,
}

/// A stretch of a text and the holes in it.
#[derive(Clone, Copy)]
struct Stretch<'t> {
    text: &'t str,
    holes: &'t [Hole],
    from: usize,
    to: usize,
    /// Most backslashes that an escape takes away: two in what the server reads, one in what a
    /// placeholder stands for, as the stock server has it.
    escapes: usize,
}

/// Resolves the placeholders of a whole text: a plain file (contract 1.7) or the `.properties` form.
///
/// # Errors
/// [`PlaceholderError`] on a cycle, or past a limit.
pub fn resolve_text<'t>(text: &'t str, lookup: &Lookup, limits: &Limits) -> Result<Cow<'t, str>, PlaceholderError> {
    Resolver::new(lookup, Form::Text, limits).resolve(text)
}

/// Whether there is anything to resolve.
#[must_use]
pub fn has_placeholder(text: &str) -> bool {
    text.contains("${")
}

impl Lookup {
    /// `sources` are highest precedence first.
    #[must_use]
    pub fn new(sources: &[Source]) -> Self {
        let count = sources.iter().map(|source| source.properties.len()).sum();
        let mut values = HashMap::with_capacity(count);
        for property in sources.iter().flat_map(|source| source.properties.iter()) {
            values
                .entry(Arc::clone(&property.key))
                .or_insert_with(|| property.value.clone());
        }
        Self { values }
    }

    fn text(&self, key: &str) -> Option<(&Arc<str>, Cow<'_, str>)> {
        let (key, value) = self.values.get_key_value(key)?;
        let text = match value {
            Value::Text(text) => Cow::Borrowed(&**text),
            other => Cow::Owned(other.to_string()),
        };
        Some((key, text))
    }
}

impl<'l> Resolver<'l> {
    #[must_use]
    pub fn new(lookup: &'l Lookup, form: Form, limits: &Limits) -> Self {
        Self {
            lookup,
            form,
            limits: *limits,
            resolved: HashMap::new(),
            open: Vec::new(),
            depth: 0,
            grown: 0,
        }
    }

    /// The text with its placeholders resolved; those that cannot be stay as they are.
    ///
    /// # Errors
    /// [`PlaceholderError`] on a cycle, or past a limit.
    pub fn resolve<'t>(&mut self, text: &'t str) -> Result<Cow<'t, str>, PlaceholderError> {
        if !has_placeholder(text) {
            return Ok(Cow::Borrowed(text));
        }
        let mut out = String::with_capacity(text.len());
        self.whole(text, 2, &mut out)?;
        Ok(Cow::Owned(out))
    }

    fn whole(&mut self, text: &str, escapes: usize, out: &mut String) -> Result<(), PlaceholderError> {
        let holes = holes(text);
        let stretch = Stretch {
            text,
            holes: &holes,
            from: 0,
            to: text.len(),
            escapes,
        };
        self.stretch(stretch, out)
    }

    fn stretch(&mut self, stretch: Stretch<'_>, out: &mut String) -> Result<(), PlaceholderError> {
        let Stretch {
            text, mut holes, to, ..
        } = stretch;
        let mut position = stretch.from;
        while let Some((hole, rest)) = holes.split_first() {
            holes = rest;
            let slashes = stretch.slashes(position, hole);
            match hole.end {
                Some(end) if slashes == 0 => {
                    out.push_str(&text[position..hole.start]);
                    let inner = stretch.inner(rest, hole.start + 2, end);
                    self.placeholder(inner, out)?;
                    holes = &rest[inner.holes.len()..];
                    position = end + 1;
                }
                _ => {
                    out.push_str(&text[position..hole.start - slashes.min(stretch.escapes)]);
                    out.push_str("${");
                    position = hole.start + 2;
                }
            }
        }
        out.push_str(&text[position..to]);
        Ok(())
    }

    /// What stands between `${` and `}`.
    fn placeholder(&mut self, body: Stretch<'_>, out: &mut String) -> Result<(), PlaceholderError> {
        self.depth += 1;
        if self.depth > self.limits.depth {
            return Err(PlaceholderError::Limit(Limits::DEPTH));
        }
        if body.holes.is_empty() {
            self.simple(body.as_str(), out)?;
        } else {
            self.nested(body, out)?;
        }
        self.depth -= 1;
        Ok(())
    }

    /// The whole body is tried as a key before it is divided at its colon.
    fn simple(&mut self, body: &str, out: &mut String) -> Result<(), PlaceholderError> {
        let (key, default) = divide(body);
        if let Some(value) = self.value(body)? {
            return self.push(&value, out);
        }
        if key != body
            && let Some(value) = self.value(&key)?
        {
            return self.push(&value, out);
        }
        match default {
            Some(default) => out.push_str(default),
            None => out.extend(["${", body, "}"]),
        }
        Ok(())
    }

    fn nested(&mut self, body: Stretch<'_>, out: &mut String) -> Result<(), PlaceholderError> {
        let (key, default) = body.divide();
        let mut spelt = String::new();
        self.stretch(key, &mut spelt)?;
        match (self.value(&spelt)?, default) {
            (Some(value), _) => self.push(&value, out),
            (None, Some(default)) => self.stretch(default, out),
            (None, None) => {
                out.extend(["${", &spelt, "}"]);
                Ok(())
            }
        }
    }

    /// What a key stands for, its own placeholders resolved.
    fn value(&mut self, key: &str) -> Result<Option<Arc<str>>, PlaceholderError> {
        let key = if self.form == Form::Value { key.trim() } else { key };
        if let Some(known) = self.resolved.get(key) {
            return Ok(Some(Arc::clone(known)));
        }
        let lookup = self.lookup;
        let Some((key, text)) = lookup.text(key) else {
            return Ok(None);
        };
        if self.open.contains(key) {
            return Err(PlaceholderError::Cycle(key.to_string()));
        }
        let resolved = if has_placeholder(&text) {
            let mut out = String::new();
            self.open.push(Arc::clone(key));
            self.whole(&text, 1, &mut out)?;
            self.open.pop();
            out.into()
        } else {
            text.into()
        };
        self.resolved.insert(Arc::clone(key), Arc::clone(&resolved));
        Ok(Some(resolved))
    }

    fn push(&mut self, value: &str, out: &mut String) -> Result<(), PlaceholderError> {
        self.grown = self.grown.saturating_add(value.len());
        if self.grown > self.limits.expansion {
            return Err(PlaceholderError::Limit(Limits::EXPANSION));
        }
        out.push_str(value);
        Ok(())
    }
}

impl<'t> Stretch<'t> {
    fn as_str(self) -> &'t str {
        &self.text[self.from..self.to]
    }

    /// The stretch between two places; `holes` begin with the first one in it.
    fn inner(self, holes: &'t [Hole], from: usize, to: usize) -> Self {
        let count = holes.partition_point(|hole| hole.start < to);
        Self {
            holes: &holes[..count],
            from,
            to,
            ..self
        }
    }

    /// Backslashes right before a hole.
    fn slashes(self, position: usize, hole: &Hole) -> usize {
        let before = &self.text.as_bytes()[position..hole.start];
        before.iter().rev().take_while(|byte| **byte == b'\\').count()
    }

    /// Key and default, divided at the first colon that stands in no inner placeholder.
    fn divide(self) -> (Self, Option<Self>) {
        let bytes = self.text.as_bytes();
        let mut position = self.from;
        let mut holes = self.holes;
        while position < self.to {
            while let [hole, rest @ ..] = holes
                && hole.start < position
            {
                holes = rest;
            }
            match holes.first() {
                Some(Hole { start, end: Some(end) }) if *start == position => position = end + 1,
                _ if bytes[position] == b':' => {
                    let key = self.inner(self.holes, self.from, position);
                    let default = self.inner(&self.holes[key.holes.len()..], position + 1, self.to);
                    return (key, Some(default));
                }
                _ => position += 1,
            }
        }
        (self, None)
    }
}

/// Every `${` with the brace that ends it, in order of their beginning.
fn holes(text: &str) -> Vec<Hole> {
    let bytes = text.as_bytes();
    let mut holes: Vec<Hole> = Vec::new();
    let mut open: Vec<Option<usize>> = Vec::new();
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'{' if at > 0 && bytes[at - 1] == b'$' => {
                open.push(Some(holes.len()));
                holes.push(Hole {
                    start: at - 1,
                    end: None,
                });
            }
            // A bare brace outside every placeholder ends nothing.
            b'{' if !open.is_empty() => open.push(None),
            b'}' => {
                if let Some(Some(hole)) = open.pop() {
                    holes[hole].end = Some(at);
                }
            }
            _ => {}
        }
    }
    holes
}

/// Key and default of a body without placeholders; `\:` is a colon of the key.
fn divide(body: &str) -> (Cow<'_, str>, Option<&str>) {
    let mut key = Cow::Borrowed("");
    let mut position = 0;
    for (at, _) in body.match_indices(':') {
        if at > position && body.as_bytes()[at - 1] == b'\\' {
            key.to_mut().extend([&body[position..at - 1], ":"]);
            position = at + 1;
        } else {
            key += &body[position..at];
            return (key, Some(&body[at + 1..]));
        }
    }
    key += &body[position..];
    (key, None)
}
