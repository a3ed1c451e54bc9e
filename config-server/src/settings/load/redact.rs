//! Values as they may be shown.

/// What stands where a secret was.
pub(super) const HIDDEN: &str = "***";

/// A value, or a comma list of them, on one line and without the logins its URLs carry.
pub(super) fn without_logins(text: &str) -> String {
    let items: Vec<String> = text.split(',').map(without_login).collect();
    items.join(",").replace('\n', "\\n")
}

fn without_login(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else {
        return text.to_owned();
    };
    let authority = rest.find('/').unwrap_or(rest.len());
    match rest[..authority].rfind('@') {
        Some(at) => format!("{scheme}://{HIDDEN}{}", &rest[at..]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logins_in_urls_are_hidden() {
        for (text, shown) in [
            ("https://me:pw@h/x@y", "https://***@h/x@y"),
            ("amqp://a:b@x,amqp://c:d@y", "amqp://***@x,amqp://***@y"),
            ("git@h:x.git", "git@h:x.git"),
            ("a\nb", "a\\nb"),
        ] {
            assert_eq!(without_logins(text), shown);
        }
    }
}
