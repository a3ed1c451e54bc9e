//! Values as they may be shown.

use super::known::Kind;

/// What stands where a secret was.
pub(super) const HIDDEN: &str = "***";

/// A value on one line and without the login it carries as an address.
pub(in crate::settings) fn without_login(text: &str) -> String {
    hide(text).replace('\n', "\\n")
}

/// A written value of this kind as it may be shown.
pub(super) fn shown(kind: Kind, text: &str) -> String {
    match kind {
        Kind::Secret | Kind::Values => HIDDEN.to_owned(),
        Kind::List => without_logins(text),
        _ => without_login(text),
    }
}

fn without_logins(text: &str) -> String {
    let items: Vec<String> = text.split(',').map(hide).collect();
    items.join(",").replace('\n', "\\n")
}

/// What stands before the last `@` of the host's part.
fn hide(text: &str) -> String {
    let (scheme, rest) = match text.split_once("://") {
        Some((scheme, rest)) => (format!("{scheme}://"), rest),
        None => (String::new(), text),
    };
    let authority = rest.find('/').unwrap_or(rest.len());
    match rest[..authority].rfind('@') {
        // `git@host:path` holds no password.
        Some(at) if !scheme.is_empty() || rest[..at].contains(':') => format!("{scheme}{HIDDEN}{}", &rest[at..]),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logins_in_addresses_are_hidden() {
        for (text, shown) in [
            ("https://me:pw@h/x@y", "https://***@h/x@y"),
            ("https://me:p,w@h/x", "https://***@h/x"),
            ("user:pw@host:5672", "***@host:5672"),
            ("user:p,w@host", "***@host"),
            ("git@h:x.git", "git@h:x.git"),
            ("/srv/a@b:c", "/srv/a@b:c"),
            ("a\nb", "a\\nb"),
        ] {
            assert_eq!(without_login(text), shown);
        }
    }

    #[test]
    fn each_item_of_a_list_has_its_login_hidden() {
        for (text, shown) in [
            ("amqp://a:b@x,amqp://c:d@y", "amqp://***@x,amqp://***@y"),
            ("a:b@x:5672, c:d@y:5672", "***@x:5672,***@y:5672"),
            ("dev,cloud", "dev,cloud"),
        ] {
            assert_eq!(without_logins(text), shown);
        }
    }
}
