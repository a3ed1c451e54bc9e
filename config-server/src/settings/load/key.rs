//! Property names and when two of them are the same.

use std::fmt;

/// One step of a name: `a.b[c]` has the parts `a`, `b` and `[c]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Part {
    Name(String),
    /// Between brackets, taken as it is: an index, or a map key with dots or slashes in it.
    Bracket(String),
}

impl Part {
    /// The text without brackets.
    pub(crate) fn text(&self) -> &str {
        match self {
            Self::Name(text) | Self::Bracket(text) => text,
        }
    }

    /// The place in a list.
    pub(crate) fn index(&self) -> Option<usize> {
        match self {
            Self::Name(_) => None,
            Self::Bracket(text) => text.parse().ok(),
        }
    }

    /// What two spellings of one part have in common.
    pub(crate) fn identity(&self) -> String {
        match self.index() {
            Some(index) => format!("[{index}]"),
            None => uniform(self.text()),
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(text) => f.write_str(text),
            Self::Bracket(text) => write!(f, "[{text}]"),
        }
    }
}

/// `maxPoolSize`, `max-pool-size` and `MAX_POOL_SIZE` are one name.
pub(crate) fn uniform(name: &str) -> String {
    name.chars()
        .filter(|c| !matches!(c, '-' | '_'))
        .flat_map(char::to_lowercase)
        .collect()
}

/// Splits a name at its dots and brackets. A bracket that never closes is plain text.
pub(crate) fn parts(name: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut rest = name;
    while !rest.is_empty() {
        let (part, after) = first(rest);
        parts.extend(part);
        rest = after;
    }
    parts
}

/// Puts parts together again.
pub(crate) fn join(parts: &[Part]) -> String {
    let mut name = String::new();
    for part in parts {
        if !name.is_empty() && matches!(part, Part::Name(_)) {
            name.push('.');
        }
        name.push_str(&part.to_string());
    }
    name
}

fn first(text: &str) -> (Option<Part>, &str) {
    if let Some((inner, after)) = text.strip_prefix('[').and_then(|inner| inner.split_once(']')) {
        return (
            Some(Part::Bracket(inner.into())),
            after.strip_prefix('.').unwrap_or(after),
        );
    }
    let end = name_end(text);
    let (name, after) = text.split_at(end);
    let part = (!name.is_empty()).then(|| Part::Name(name.into()));
    (part, after.strip_prefix('.').unwrap_or(after))
}

fn name_end(text: &str) -> usize {
    let closes = |at: usize| text[at..].contains(']');
    text.char_indices()
        .skip(1)
        .find(|&(at, c)| c == '.' || (c == '[' && closes(at)))
        .map_or(text.len(), |(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_split_at_dots_and_brackets_and_join_again() {
        for (name, expected) in [
            ("a.b-c", vec!["a", "b-c"]),
            ("a[0].b", vec!["a", "[0]", "b"]),
            ("a[x.y/*].b", vec!["a", "[x.y/*]", "b"]),
            ("a[0][1]", vec!["a", "[0]", "[1]"]),
            ("[x].y", vec!["[x]", "y"]),
            ("a[b", vec!["a[b"]),
        ] {
            let split = parts(name);
            assert_eq!(
                split.iter().map(Part::to_string).collect::<Vec<_>>(),
                expected,
                "{name}"
            );
            assert_eq!(join(&split), name);
        }
    }

    #[test]
    fn odd_dots_make_no_parts() {
        assert_eq!(parts("a..b.").iter().map(Part::to_string).collect::<String>(), "a.b");
        assert!(parts("").is_empty());
    }

    #[test]
    fn spellings_of_one_name_are_the_same() {
        assert_eq!(uniform("maxPoolSize"), uniform("MAX_POOL-SIZE"));
    }
}
