//! What stands after the `?`.

use std::borrow::Cow;

use url::form_urlencoded;

/// The query of a request; most have none.
#[derive(Debug, Clone, Copy)]
pub struct Parameters<'r>(&'r str);

impl<'r> Parameters<'r> {
    #[must_use]
    pub fn of(query: Option<&'r str>) -> Self {
        Self(query.unwrap_or_default())
    }

    /// Whether `useDefaultLabel` is there; its value does not count (contract 1.1).
    #[must_use]
    pub fn default_label(&self) -> bool {
        self.first("useDefaultLabel").is_some()
    }

    /// `resolvePlaceholders`, true unless it says otherwise; `None` when it says neither.
    #[must_use]
    pub fn resolve_placeholders(&self) -> Option<bool> {
        let Some(value) = self.first("resolvePlaceholders") else {
            return Some(true);
        };
        match value.trim().to_ascii_lowercase().as_str() {
            "" | "true" | "on" | "yes" | "1" => Some(true),
            "false" | "off" | "no" | "0" => Some(false),
            _ => None,
        }
    }

    fn first(&self, name: &str) -> Option<Cow<'r, str>> {
        if self.0.is_empty() {
            return None;
        }
        let mut pairs = form_urlencoded::parse(self.0.as_bytes());
        pairs.find(|(key, _)| key == name).map(|(_, value)| value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_resolved_unless_told_otherwise() {
        for (query, want) in [
            (None, Some(true)),
            (Some("resolvePlaceholders="), Some(true)),
            (Some("x=1&resolvePlaceholders=ON"), Some(true)),
            (Some("resolvePlaceholders=off"), Some(false)),
            (Some("resolvePlaceholders=%66alse"), Some(false)),
            (Some("resolvePlaceholders=maybe"), None),
        ] {
            assert_eq!(Parameters::of(query).resolve_placeholders(), want, "{query:?}");
        }
    }

    #[test]
    fn the_value_of_use_default_label_does_not_count() {
        for (query, want) in [
            ("useDefaultLabel", true),
            ("useDefaultLabel=false", true),
            ("usedefaultlabel", false),
        ] {
            assert_eq!(Parameters::of(Some(query)).default_label(), want, "{query}");
        }
    }
}
