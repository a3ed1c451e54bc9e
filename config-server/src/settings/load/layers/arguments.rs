//! `--key=value`

use crate::settings::load::origin::{Origin, Written};

/// The properties among the arguments, in order. A key without `=` is an empty value, as in Spring.
pub(super) fn properties(arguments: &[String]) -> Vec<Written> {
    let property = |argument: &String| {
        let text = argument.strip_prefix("--")?;
        let (key, value) = text.split_once('=').unwrap_or((text, ""));
        Some(Written::new(key, value, Origin::Argument))
    };
    arguments.iter().filter_map(property).collect()
}
