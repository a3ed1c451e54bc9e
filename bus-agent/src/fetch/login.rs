//! How an agent shows who it is.

use bus::{Credentials, Secret};
use reqwest::RequestBuilder;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};

use super::ClientError;

/// Sent with every request to a server.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Login {
    /// A user and a password.
    Basic(Credentials),
    /// A bearer token.
    Bearer(Secret),
}

impl Login {
    /// A user and a password.
    #[must_use]
    pub fn basic(username: impl Into<String>, password: impl Into<String>) -> Self {
        Self::Basic(Credentials {
            username: username.into(),
            password: Secret::new(password),
        })
    }

    /// A bearer token.
    #[must_use]
    pub fn bearer(token: impl Into<String>) -> Self {
        let token: String = token.into();
        // Read from a file it ends with a line break, which no header can hold.
        Self::Bearer(Secret::new(token.trim()))
    }

    /// A token is part of the client, so that whoever shares the client shows it too.
    pub(super) fn headers(&self) -> Result<HeaderMap, ClientError> {
        let mut headers = HeaderMap::new();
        if let Self::Bearer(token) = self {
            let header = HeaderValue::try_from(format!("Bearer {}", token.reveal()));
            let mut header = header.map_err(|_| ClientError::Token)?;
            header.set_sensitive(true);
            headers.insert(AUTHORIZATION, header);
        }
        Ok(headers)
    }

    pub(super) fn sign(&self, request: RequestBuilder) -> RequestBuilder {
        match self {
            Self::Basic(user) => request.basic_auth(&user.username, Some(user.password.reveal())),
            Self::Bearer(_) => request,
        }
    }
}
