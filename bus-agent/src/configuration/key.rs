//! Keys as Spring's relaxed binding reads them: `maxPoolSize`, `max-pool-size`, `MAX_POOL_SIZE` and
//! `max_pool_size` are one key.

/// One step of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Segment<'a> {
    /// `pool` in `db.pool`; spelled freely.
    Name(&'a str),
    /// `2` in `servers[2]`.
    Index(usize),
    /// `/api` in `routes[/api]`; taken as it is.
    Bracketed(&'a str),
}

/// The steps of `key`.
pub fn segments(key: &str) -> impl Iterator<Item = Segment<'_>> {
    let mut rest = key;
    std::iter::from_fn(move || {
        rest = rest.strip_prefix('.').unwrap_or(rest);
        if rest.is_empty() {
            return None;
        }
        if let Some((inner, after)) = bracketed(rest) {
            rest = after;
            return Some(inner.parse().map_or(Segment::Bracketed(inner), Segment::Index));
        }
        // A bracket that is never closed is an ordinary character.
        let end = rest
            .char_indices()
            .skip(1)
            .find(|&(at, c)| c == '.' || (c == '[' && bracketed(&rest[at..]).is_some()))
            .map_or(rest.len(), |(at, _)| at);
        let (name, after) = rest.split_at(end);
        rest = after;
        Some(Segment::Name(name))
    })
}

/// The one spelling that all spellings of `key` share.
#[must_use]
pub fn canonical(key: &str) -> String {
    let mut canonical = String::with_capacity(key.len());
    for segment in segments(key) {
        push(&mut canonical, &segment);
    }
    canonical
}

/// The one spelling that all spellings of a name share: lower case, without `-` and `_`.
#[must_use]
pub fn canonical_name(name: &str) -> String {
    let plain: String = name
        .chars()
        .filter(|c| !matches!(c, '-' | '_'))
        .flat_map(char::to_lowercase)
        .collect();
    // A name of nothing but dashes is still a name.
    if plain.is_empty() { name.to_owned() } else { plain }
}

/// Every canonical prefix of `key` that an index follows, outermost first, and the whole key: the
/// places where it may be (part of) a list.
pub(super) fn list_places(key: &str) -> Vec<String> {
    let mut places = Vec::new();
    let mut canonical = String::with_capacity(key.len());
    for segment in segments(key) {
        if matches!(segment, Segment::Index(_)) {
            places.push(canonical.clone());
        }
        push(&mut canonical, &segment);
    }
    places.push(canonical);
    places
}

fn push(canonical: &mut String, segment: &Segment<'_>) {
    match segment {
        Segment::Name(name) => {
            if !canonical.is_empty() {
                canonical.push('.');
            }
            canonical.push_str(&canonical_name(name));
        }
        Segment::Index(index) => {
            canonical.push('[');
            canonical.push_str(&index.to_string());
            canonical.push(']');
        }
        Segment::Bracketed(inner) => {
            canonical.push('[');
            canonical.push_str(inner);
            canonical.push(']');
        }
    }
}

/// `inner` and what follows, when `text` begins `[inner]`.
fn bracketed(text: &str) -> Option<(&str, &str)> {
    text.strip_prefix('[')?.split_once(']')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_key_share_their_canonical_form() {
        for spelling in [
            "db.maxPoolSize",
            "db.max-pool-size",
            "DB.MAX_POOL_SIZE",
            "db.max_pool_size",
        ] {
            assert_eq!(canonical(spelling), "db.maxpoolsize");
        }
    }

    #[test]
    fn a_key_is_cut_at_dots_and_brackets() {
        for (key, expected) in [
            (
                "a.b[0].c",
                vec![
                    Segment::Name("a"),
                    Segment::Name("b"),
                    Segment::Index(0),
                    Segment::Name("c"),
                ],
            ),
            (
                "m[/x.y].z",
                vec![Segment::Name("m"), Segment::Bracketed("/x.y"), Segment::Name("z")],
            ),
            ("[x/y]", vec![Segment::Bracketed("x/y")]),
            (
                "l[1][2]",
                vec![Segment::Name("l"), Segment::Index(1), Segment::Index(2)],
            ),
            ("open[never", vec![Segment::Name("open[never")]),
            ("a..b", vec![Segment::Name("a"), Segment::Name(".b")]),
            ("", vec![]),
        ] {
            assert_eq!(segments(key).collect::<Vec<_>>(), expected, "{key}");
        }
    }

    #[test]
    fn the_places_of_lists_go_from_outside_in() {
        assert_eq!(list_places("a.b[0].c[1]"), ["a.b", "a.b[0].c", "a.b[0].c[1]"]);
        assert_eq!(list_places("m[x]"), ["m[x]"]);
    }

    proptest::proptest! {
        #[test]
        fn cutting_any_text_ends(text in ".{0,64}") {
            let _ = segments(&text).count();
        }
    }
}
