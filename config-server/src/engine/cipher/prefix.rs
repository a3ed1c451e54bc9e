//! Which key a text wants: `{key:alias}{secret:password}...` (contract 4.2).

/// Ends the prefix: what follows is payload, whatever it looks like.
const ESCAPE: &str = "{plain}";

/// The `{name:value}` pairs in front of a text, in order; a later pair wins over an earlier one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Selectors(Vec<(String, String)>);

impl Selectors {
    /// Reads the pairs out of `text`. As in the stock server a pair may also stand right after a
    /// `}` further on; pairs called `name` and `profiles` say nothing.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let text = without_pair(text, "{name:");
        let text = without_pair(&text, "{profiles:");
        let text = text.split_once(ESCAPE).map_or(text.as_str(), |(prefix, _)| prefix);
        let mut selectors = Self::default();
        let mut rest = text;
        while let Some((token, after)) = rest.split_once('}') {
            if let Some(inner) = trim(token).strip_prefix('{') {
                let (name, value) = pair(inner);
                selectors.put(name, value);
            }
            rest = after;
        }
        selectors
    }

    /// The alias of the key.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        self.find("key")
    }

    /// The key's own password.
    #[must_use]
    pub fn secret(&self) -> Option<&str> {
        self.find("secret")
    }

    /// The pairs as a prefix again, for the answer of `/encrypt`.
    #[must_use]
    pub fn to_prefix(&self) -> String {
        let echoed = self.0.iter().filter(|(name, _)| name != "name" && name != "profiles");
        echoed.map(|(name, value)| format!("{{{name}:{value}}}")).collect()
    }

    fn find(&self, wanted: &str) -> Option<&str> {
        let found = self.0.iter().find(|(name, _)| name == wanted);
        found.map(|(_, value)| value.as_str())
    }

    fn put(&mut self, name: &str, value: &str) {
        match self.0.iter_mut().find(|(known, _)| known == name) {
            Some((_, slot)) => value.clone_into(slot),
            None => self.0.push((name.to_owned(), value.to_owned())),
        }
    }
}

/// The text behind its prefix.
#[must_use]
pub fn strip(text: &str) -> &str {
    if let Some((_, payload)) = text.split_once(ESCAPE) {
        return payload;
    }
    let mut rest = text;
    while let Some(after) = strip_group(rest) {
        rest = after;
    }
    rest
}

/// What follows one `{x:y}` at the start, which may hold further braces but no line break.
fn strip_group(text: &str) -> Option<&str> {
    let line_end = text.find(is_line_break).unwrap_or(text.len());
    let colon = text[..line_end].strip_prefix('{')?.find(':')? + 1;
    let close = text[colon..line_end].find('}')? + colon;
    Some(&text[close + 1..])
}

/// `text` without the part from `start` to the last `}` of its line.
fn without_pair(text: &str, start: &str) -> String {
    let cut = text.match_indices(start).find_map(|(at, _)| {
        let line_end = text[at..].find(is_line_break).map_or(text.len(), |end| at + end);
        let inner = at + start.len();
        let close = text[inner..line_end].rfind('}')?;
        Some((at, inner + close + 1))
    });
    match cut {
        Some((from, to)) => format!("{}{}", &text[..from], &text[to..]),
        None => text.to_owned(),
    }
}

/// `name:value`; without a value the whole is a name.
fn pair(inner: &str) -> (&str, &str) {
    match inner.split_once(':') {
        Some((name, value)) if !inner.ends_with(':') => (name, value),
        _ => (inner, ""),
    }
}

/// Java trims everything up to the blank.
fn trim(text: &str) -> &str {
    text.trim_matches(|c: char| c <= ' ')
}

fn is_line_break(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_is_read_and_stripped_as_the_stock_server_does() {
        for (text, prefix, payload) in [
            ("abc", "", "abc"),
            ("{key:a}abc", "{key:a}", "abc"),
            ("{secret:s}{key:a}abc", "{secret:s}{key:a}", "abc"),
            ("{key:a}{key:b}abc", "{key:b}", "abc"),
            ("{name:x}{key:a}abc", "", "abc"),
            ("{key:a}{name:x}abc", "{key:a}", "abc"),
            ("{plain}{foo}bar", "", "{foo}bar"),
            ("{key:a}{plain}{foo:x}bar", "{key:a}", "{foo:x}bar"),
            ("{\"a\":1}", "{\"a\":1}", ""),
            ("{cipher}abc", "{cipher:}", "{cipher}abc"),
            ("{cipher}{key:a}abc", "{cipher:}{key:a}", "abc"),
            ("{}", "{:}", "{}"),
            ("{a:\n}b", "{a::}", "{a:\n}b"),
            ("", "", ""),
        ] {
            assert_eq!(Selectors::of(text).to_prefix(), prefix, "{text:?}");
            assert_eq!(strip(text), payload, "{text:?}");
        }
        let selectors = Selectors::of("{key:a:b}{secret:}x");
        assert_eq!((selectors.key(), selectors.secret()), (Some("a:b"), None));
    }
}
