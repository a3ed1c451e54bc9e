//! Names bytes by their content.

use aws_lc_rs::digest::{Context, SHA256};

/// SHA-256 over `parts`, each led by its length, in hexadecimal.
pub(crate) fn of(parts: &[&[u8]]) -> String {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part);
    }
    hex::encode(context.finish())
}
