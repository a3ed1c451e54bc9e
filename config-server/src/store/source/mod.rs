//! Which heads a request reads from, by the backends that the operator configured.

mod address;
mod git;
mod patterns;
mod picked;
mod templates;

use std::sync::Arc;

use thiserror::Error;
use tracing::warn;

use self::git::{GitSource, Names};
use super::native::{NativeError, NativeSource};
use super::outcome::RefreshFailure;
use super::repository::Surroundings;
use super::upstream::Upstream;
use super::view::ViewError;
use crate::engine::query::Query;
use crate::git::GitError;
use crate::settings::Backend;

pub use self::address::TemplateError;
pub(super) use self::picked::{Choice, Picked};

/// Why the store cannot start. Messages name the setting or the remote, never credentials.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OpenError {
    #[error(transparent)]
    Git(#[from] GitError),
    #[error(transparent)]
    Template(#[from] TemplateError),
    #[error(transparent)]
    Native(#[from] NativeError),
    #[error("{}: {} (and `clone-on-start` asks for it)", .0.repository, .0.message)]
    Clone(RefreshFailure),
}

/// One backend, opened.
#[derive(Debug)]
pub(super) enum Source {
    Git(GitSource),
    Native(Arc<NativeSource>),
    /// Highest precedence first.
    Composite {
        members: Vec<Self>,
        fail_on_error: bool,
    },
}

impl Source {
    pub(super) async fn open(backend: &Backend, surroundings: &Surroundings) -> Result<Self, OpenError> {
        Self::open_named(backend, &mut Names::default(), surroundings).await
    }

    async fn open_named(backend: &Backend, names: &mut Names, surroundings: &Surroundings) -> Result<Self, OpenError> {
        Ok(match backend {
            Backend::Git(settings) => Self::Git(GitSource::open(settings, names, surroundings).await?),
            Backend::Native(settings) => Self::Native(NativeSource::open(settings, surroundings).await?),
            Backend::Composite { members, fail_on_error } => {
                let mut opened = Vec::with_capacity(members.len());
                for member in members {
                    opened.push(Box::pin(Self::open_named(member, names, surroundings)).await?);
                }
                Self::Composite {
                    members: opened,
                    fail_on_error: *fail_on_error,
                }
            }
        })
    }

    /// Chooses the heads for `query`.
    pub(super) async fn pick(&self, query: &Query) -> Result<Picked, ViewError> {
        match self {
            Self::Git(git) => git.pick(query).await,
            Self::Native(native) => Ok(native.pick(query)),
            Self::Composite { members, fail_on_error } => match &**members {
                // One backend alone speaks for itself.
                [single] => Box::pin(single.pick(query)).await,
                members => Self::pick_each(members, *fail_on_error, query).await,
            },
        }
    }

    async fn pick_each(members: &[Self], fail_on_error: bool, query: &Query) -> Result<Picked, ViewError> {
        let mut picked = Vec::with_capacity(members.len());
        for member in members {
            match Box::pin(member.pick(query)).await {
                Ok(member) => picked.push(member),
                Err(error) if fail_on_error => return Err(error),
                Err(error) => warn!(app.name = %query.name, %error, "a member of the composite is left out"),
            }
        }
        Ok(Picked::composite(picked))
    }

    /// Everything that moves on its own.
    pub(super) fn upstreams(&self) -> Vec<Arc<dyn Upstream>> {
        match self {
            Self::Git(git) => git.upstreams(),
            Self::Native(native) => vec![native.clone()],
            Self::Composite { members, .. } => members.iter().flat_map(Self::upstreams).collect(),
        }
    }
}
