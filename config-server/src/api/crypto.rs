//! `/encrypt`, `/decrypt`, `/encrypt/status` and `/key` (contract 1.8): what is posted in, what is
//! answered out.

use std::borrow::Cow;

use http::StatusCode;
use percent_encoding::percent_decode_str;
use serde::Serialize;
use url::form_urlencoded;

use super::path::Crypto;
use super::spring_error::SpringError;
use crate::engine::cipher::{CipherError, Keys, Random};
use crate::engine::query::{Query, Rules, Veto};

#[cfg(test)]
mod tests;

const FORM: &str = "application/x-www-form-urlencoded";
const PLAIN: &str = "text/plain";

/// What came with a request.
#[derive(Debug, Clone, Copy)]
pub struct Posted<'r> {
    pub content_type: Option<&'r str>,
    pub body: &'r [u8],
}

/// What is answered.
#[derive(Debug, PartialEq, Eq)]
pub enum CryptoAnswer {
    /// 200, `text/plain;charset=UTF-8`
    Text(String),
    /// `application/json`
    Status(StatusCode, CryptoStatus),
    /// Boot's error document.
    Error(SpringError),
}

/// The body of an answer that is not a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct CryptoStatus {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<&'static str>,
    pub status: &'static str,
}

/// Answers one request. Everything that can be wrong with a cipher text is answered alike.
pub fn answer(keys: &Keys, rules: &Rules, asked: &Crypto, posted: Posted<'_>, random: Random<'_>) -> CryptoAnswer {
    let answered = check(asked, rules).and_then(|()| match asked {
        Crypto::Status => status(keys),
        Crypto::Encrypt { .. } => encrypt(keys, posted, random),
        Crypto::Decrypt { .. } => decrypt(keys, posted),
        Crypto::Key { .. } => Ok(key(keys)),
    });
    answered.unwrap_or_else(CryptoAnswer::Error)
}

/// The application and the profiles select no key (contract 4.5), but must be good ones.
fn check(asked: &Crypto, rules: &Rules) -> Result<(), SpringError> {
    match asked {
        Crypto::Encrypt { whom: Some(whom) }
        | Crypto::Decrypt { whom: Some(whom) }
        | Crypto::Key { whom: Some(whom) } => {
            let refused = |veto: Veto| SpringError::new(StatusCode::BAD_REQUEST, veto.to_string());
            Query::new(&whom.0, &whom.1, None, rules).map(drop).map_err(refused)
        }
        _ => Ok(()),
    }
}

fn status(keys: &Keys) -> Result<CryptoAnswer, SpringError> {
    if !keys.is_installed() {
        return Err(failed(CipherError::NoKey));
    }
    let status = CryptoStatus {
        description: None,
        status: "OK",
    };
    Ok(CryptoAnswer::Status(StatusCode::OK, status))
}

fn encrypt(keys: &Keys, posted: Posted<'_>, random: Random<'_>) -> Result<CryptoAnswer, SpringError> {
    let (text, content_type) = posted.text()?;
    let text = unform(text, &content_type);
    keys.encrypt(&text, random).map(CryptoAnswer::Text).map_err(failed)
}

fn decrypt(keys: &Keys, posted: Posted<'_>) -> Result<CryptoAnswer, SpringError> {
    let (text, content_type) = posted.text()?;
    let text = unform_cipher(text, &content_type);
    match keys.decrypt(&text) {
        Ok(plain) => Ok(CryptoAnswer::Text(plain.as_str().to_owned())),
        Err(CipherError::Undecipherable) => Ok(refusal(
            StatusCode::BAD_REQUEST,
            "INVALID",
            "Text not encrypted with this key",
        )),
        Err(error) => Err(failed(error)),
    }
}

fn key(keys: &Keys) -> CryptoAnswer {
    match keys.public_key() {
        Some(key) => CryptoAnswer::Text(key),
        None => refusal(StatusCode::NOT_FOUND, "NOT_FOUND", "No public key available"),
    }
}

fn refusal(code: StatusCode, status: &'static str, description: &'static str) -> CryptoAnswer {
    let description = Some(description);
    CryptoAnswer::Status(code, CryptoStatus { description, status })
}

fn failed(error: CipherError) -> SpringError {
    SpringError::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
}

impl<'r> Posted<'r> {
    /// The body as the stock server's controller sees it, and its type.
    fn text(self) -> Result<(Cow<'r, str>, String), SpringError> {
        let refused = |message| SpringError::new(StatusCode::BAD_REQUEST, message);
        if self.body.is_empty() {
            return Err(refused("the body is empty"));
        }
        let content_type = self.content_type.ok_or_else(|| refused("a `Content-Type` is needed"))?;
        let content_type: String = content_type.to_ascii_lowercase().split_whitespace().collect();
        let body = String::from_utf8_lossy(self.body);
        match content_type.split(';').next() {
            Some(FORM) => Ok((reserialised(&body).into(), content_type)),
            _ => Ok((body, content_type)),
        }
    }
}

/// A servlet container reads a form before anybody else does, and gives it back written anew: a
/// name without a value gets a `=`.
fn reserialised(body: &str) -> String {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.extend_pairs(form_urlencoded::parse(body.as_bytes()));
    form.finish()
}

/// A text that was posted as a form, without the `=` that came to its end.
fn unform<'t>(text: Cow<'t, str>, content_type: &str) -> Cow<'t, str> {
    if content_type == PLAIN || !text.ends_with('=') {
        return text;
    }
    let mut decoded = form_decoded(&text);
    decoded.pop();
    decoded.into()
}

/// As [`unform`], for a cipher text, whose own padding stays.
fn unform_cipher<'t>(text: Cow<'t, str>, content_type: &str) -> Cow<'t, str> {
    if content_type == PLAIN || !text.ends_with('=') {
        return text;
    }
    let mut decoded = form_decoded(&text).replace(' ', "+");
    let added = decoded.ends_with('=') && decoded.len() % 2 == 1;
    if added {
        decoded.pop();
    }
    decoded.into()
}

fn form_decoded(text: &str) -> String {
    percent_decode_str(&text.replace('+', " "))
        .decode_utf8_lossy()
        .into_owned()
}
