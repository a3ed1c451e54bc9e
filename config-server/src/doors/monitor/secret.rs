//! Whether a caller knows the secret it should (`config-bus.monitor.<provider>.secret`).
//!
//! As soon as one provider has a secret, nobody comes in without one: else a call would only have to
//! look like another provider's. Every comparison takes the same time whatever it is given.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::{HeaderMap, header};
use percent_encoding::percent_decode_str;
use serde_json::Value;
use thiserror::Error;

use super::call::{Content, Told};
use super::provider;
use crate::settings::MonitorSettings;
use crate::settings::monitor::Provider;

/// Where a caller that is no git server names the secret.
pub const TOKEN: &str = "x-monitor-token";

/// The caller did not prove that it knows the secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the call does not prove that it comes from the {provider} it should")]
pub struct Stranger {
    /// Who the caller says it is, by its name in settings.
    pub provider: &'static str,
}

/// Lets a call in, or says it is a stranger's. `body` is as it came over the wire.
///
/// # Errors
/// [`Stranger`] when a secret is asked for and not proved.
pub fn admit(told: &Told<'_>, body: &[u8], settings: &MonitorSettings) -> Result<(), Stranger> {
    if settings.secrets.is_empty() {
        return Ok(());
    }
    let caller = provider::caller(told);
    let secret = settings.secret(caller).map(|secret| secret.expose());
    match secret {
        Some(secret) if proves(caller, told, body, secret) => Ok(()),
        _ => Err(Stranger {
            provider: caller.name(),
        }),
    }
}

fn proves(caller: Provider, told: &Told<'_>, body: &[u8], secret: &str) -> bool {
    let headers = told.headers;
    match caller {
        Provider::Github => signed(text(headers, "x-hub-signature-256"), body, secret),
        Provider::Gitea => signed(text(headers, "x-gitea-signature"), body, secret),
        Provider::Gogs => signed(text(headers, "x-gogs-signature"), body, secret),
        Provider::Bitbucket => signed(text(headers, "x-hub-signature"), body, secret),
        Provider::Gitlab => same(text(headers, "x-gitlab-token"), secret),
        Provider::Gitee => same(gitee_password(told), secret) || gitee_signed(headers, secret),
        Provider::Azure => same(basic_password(headers).as_deref(), secret),
        Provider::Generic => same(text(headers, TOKEN), secret),
    }
}

/// `[sha256=]<hex>`: the HMAC-SHA256 of the body.
fn signed(signature: Option<&str>, body: &[u8], secret: &str) -> bool {
    let Some(signature) = signature else { return false };
    let digits = signature.strip_prefix("sha256=").unwrap_or(signature);
    hex::decode(digits).is_ok_and(|tag| has_tag(body, &tag, secret))
}

/// Gitee signs `<timestamp>\n<secret>` and writes the tag in base64, percent-encoded at times.
fn gitee_signed(headers: &HeaderMap, secret: &str) -> bool {
    let (Some(time), Some(tag)) = (text(headers, "x-gitee-timestamp"), text(headers, "x-gitee-token")) else {
        return false;
    };
    let tag: Vec<u8> = percent_decode_str(tag).collect();
    let message = format!("{time}\n{secret}");
    BASE64
        .decode(tag)
        .is_ok_and(|tag| has_tag(message.as_bytes(), &tag, secret))
}

/// In the header since Gitee is called so, in the body before.
fn gitee_password<'a>(told: &'a Told<'_>) -> Option<&'a str> {
    let member = match &told.content {
        Content::Json(members) => members.get("password").and_then(Value::as_str),
        Content::Form(_) => None,
    };
    text(told.headers, "x-gitee-token").or(member)
}

/// Azure DevOps knows basic authentication only; the user name is of no account.
fn basic_password(headers: &HeaderMap) -> Option<String> {
    let credentials = text(headers, header::AUTHORIZATION.as_str())?;
    let (scheme, credentials) = credentials.split_once(' ')?;
    let decoded = BASE64.decode(credentials.trim()).ok()?;
    let pair = String::from_utf8(decoded).ok()?;
    let (_, password) = pair.split_once(':')?;
    scheme.eq_ignore_ascii_case("basic").then(|| password.to_owned())
}

fn has_tag(message: &[u8], tag: &[u8], secret: &str) -> bool {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    hmac::verify(&key, message, tag).is_ok()
}

fn same(given: Option<&str>, secret: &str) -> bool {
    given.is_some_and(|given| verify_slices_are_equal(given.as_bytes(), secret.as_bytes()).is_ok())
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_githubs_documentation_is_signed_right() {
        let secret = "It's a Secret to Everybody";
        let tag = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
        assert!(signed(Some(tag), b"Hello, World!", secret));
        assert!(!signed(Some(tag), b"Hello, World?", secret));
        assert!(!signed(Some(tag), b"Hello, World!", "another"));
    }
}
