//! Which of `git.repos.*` serves a request (contract 2.7). Pure.

/// The `application/profile` patterns of one repository, as the stock server completes them.
#[derive(Debug, Clone)]
pub(super) struct Patterns(Vec<String>);

impl Patterns {
    /// A pattern without `/` takes every profile; one that names a profile takes it first in a list.
    pub(super) fn new(configured: &[String]) -> Self {
        let mut patterns = Vec::new();
        for pattern in configured {
            if !pattern.contains('/') {
                patterns.push(format!("{pattern}/*"));
            }
            if !pattern.ends_with('*') {
                patterns.push(format!("{pattern},*"));
            }
            patterns.push(pattern.clone());
        }
        Self(patterns)
    }

    /// Whether a request for `application` in `profiles` (the list as written) belongs here: one of
    /// the profiles alone has to match, and then the whole list.
    pub(super) fn take(&self, application: &str, profiles: &str) -> bool {
        let alone = profiles.split(',').any(|profile| self.matches(application, profile));
        alone && self.matches(application, profiles)
    }

    fn matches(&self, application: &str, profiles: &str) -> bool {
        let request = format!("{application}/{profiles}");
        self.0.iter().any(|pattern| wildcard(pattern, &request))
    }
}

/// `*` is any run of characters, `/` included; everything else is itself.
fn wildcard(pattern: &str, text: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let Some(mut text) = text.strip_prefix(head) else {
        return false;
    };
    let mut parts = rest.split('*').peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return text.ends_with(part);
        }
        match text.find(part) {
            Some(at) => text = &text[at + part.len()..],
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(patterns: &[&str], request: &str, taken: bool) {
        let configured: Vec<String> = patterns.iter().map(|pattern| (*pattern).to_owned()).collect();
        let (application, profiles) = request.split_once('/').expect("a request");
        assert_eq!(
            Patterns::new(&configured).take(application, profiles),
            taken,
            "{patterns:?} {request}"
        );
    }

    #[test]
    fn requests_go_where_the_stock_server_sends_them() {
        check(&["team*/*", "local/dev"], "team-a/prod,dev", true);
        check(&["team*/*", "local/dev"], "local/dev", true);
        check(&["team*/*", "local/dev"], "local/dev,prod", true);
        check(&["team*/*", "local/dev"], "local/prod,dev", false);
        check(&["team*/*", "local/dev"], "local/default", false);
        check(&["simple"], "simple/prod,dev", true);
        check(&["simple"], "simpler/dev", false);
        check(&["special/dev*", "special/prod"], "special/prod,dev", true);
        check(&["special/dev*", "special/prod"], "special/development", true);
        check(&["special/dev*", "special/prod"], "special/default", false);
        check(&["*"], "any/thing", true);
        check(&["*/dev"], "x/dev", true);
        check(&["a*b*c"], "abc/x", true);
        check(&[], "any/thing", false);
    }

    #[test]
    fn a_star_never_overlaps_what_stands_around_it() {
        assert!(!wildcard("ab*ba", "aba"));
        assert!(wildcard("ab*ba", "abba"));
        assert!(wildcard("**", "x"));
        assert!(!wildcard("a*b*b", "ab"));
    }
}
