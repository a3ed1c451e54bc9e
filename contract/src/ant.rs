//! Ant-style patterns, as Spring's `AntPathMatcher` reads them: `?` one character, `*` any run
//! inside one token, `**` any number of whole tokens, `{name}` one token.
//!
//! Destinations use them with `:` (spring-cloud-bus contract 1.4), search paths with `/`.

/// Whether `text` matches `pattern`, both cut into tokens at `separator`.
///
/// Empty tokens are dropped, but a pattern that begins with the separator only matches a text that
/// does (and the other way round). Case counts.
#[must_use]
pub fn matches(pattern: &str, text: &str, separator: char) -> bool {
    if pattern.starts_with(separator) != text.starts_with(separator) {
        return false;
    }
    let pattern: Vec<&str> = pattern.split(separator).filter(|t| !t.is_empty()).collect();
    let text: Vec<&str> = text.split(separator).filter(|t| !t.is_empty()).collect();
    tokens_match(&pattern, &text)
}

/// Whether `pattern` has anything to expand.
#[must_use]
pub fn is_pattern(pattern: &str) -> bool {
    pattern.contains(['*', '?', '{'])
}

/// Greedy with one point of return, so the work is at most `pattern * text` (no pattern explodes).
fn tokens_match(pattern: &[&str], text: &[&str]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while t < text.len() {
        if pattern.get(p) == Some(&"**") {
            retry = Some((p, t));
            p += 1;
        } else if pattern.get(p).is_some_and(|token| token_matches(token, text[t])) {
            p += 1;
            t += 1;
        } else if let Some((star, from)) = retry {
            retry = Some((star, from + 1));
            p = star + 1;
            t = from + 1;
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|token| *token == "**")
}

/// Whether one token matches one token of a pattern.
#[must_use]
pub fn token_matches(pattern: &str, text: &str) -> bool {
    let pattern = simplify(pattern);
    let text: Vec<char> = text.chars().collect();
    let (mut p, mut t) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(Piece::Run) => {
                retry = Some((p, t));
                p += 1;
            }
            Some(Piece::Any) => {
                p += 1;
                t += 1;
            }
            Some(Piece::Char(c)) if *c == text[t] => {
                p += 1;
                t += 1;
            }
            _ => {
                let Some((star, from)) = retry else {
                    return false;
                };
                retry = Some((star, from + 1));
                p = star + 1;
                t = from + 1;
            }
        }
    }
    pattern[p..].iter().all(|piece| matches!(piece, Piece::Run))
}

#[derive(Debug, Clone, Copy)]
enum Piece {
    Char(char),
    Any,
    Run,
}

/// `{name}` is a run of any characters: the URI-variable syntax leaks into Spring's matcher.
fn simplify(token: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut rest = token.chars();
    while let Some(c) = rest.next() {
        match c {
            '*' => pieces.push(Piece::Run),
            '?' => pieces.push(Piece::Any),
            '{' => match rest.as_str().find('}') {
                Some(end) => {
                    rest = rest.as_str()[end + 1..].chars();
                    pieces.push(Piece::Run);
                }
                None => pieces.push(Piece::Char('{')),
            },
            c => pieces.push(Piece::Char(c)),
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn double_stars_take_any_number_of_tokens() {
        assert!(matches("a/**/d", "a/b/c/d", '/'));
        assert!(matches("a/**", "a", '/'));
        assert!(matches("**/d", "d", '/'));
        assert!(!matches("a/*", "a", '/'));
        assert!(!matches("a/*", "a/b/c", '/'));
    }

    fn slow(pattern: &[&str], text: &[&str]) -> bool {
        match pattern.split_first() {
            None => text.is_empty(),
            Some((&"**", rest)) => (0..=text.len()).any(|skip| slow(rest, &text[skip..])),
            Some((token, rest)) => text
                .split_first()
                .is_some_and(|(first, tail)| token_matches(token, first) && slow(rest, tail)),
        }
    }

    proptest! {
        #[test]
        fn agrees_with_the_obvious_recursion(
            pattern in proptest::collection::vec("a|b|\\*|\\*\\*|a\\*|\\?", 0..6),
            text in proptest::collection::vec("a|b|ab|aa", 0..6),
        ) {
            let p: Vec<&str> = pattern.iter().map(String::as_str).collect();
            let t: Vec<&str> = text.iter().map(String::as_str).collect();
            prop_assert_eq!(tokens_match(&p, &t), slow(&p, &t));
        }
    }
}
