//! What a request reads from, before it is checked against `X-Config-At-Least`.

use std::sync::Arc;

use crate::store::heads::Head;
use crate::store::upstream::Upstream;
use crate::store::view::{Layer, View};

/// One head and whose it is.
#[derive(Debug, Clone)]
pub(in crate::store) struct Choice {
    pub(in crate::store) upstream: Arc<dyn Upstream>,
    pub(in crate::store) head: Arc<Head>,
    /// As requested.
    pub(in crate::store) label: Arc<str>,
}

/// Heads, highest precedence first, and what the answer says about them.
#[derive(Debug, Clone, Default)]
pub(in crate::store) struct Picked {
    pub(super) choices: Vec<Choice>,
    pub(super) version: Option<String>,
    pub(super) state: Option<&'static str>,
}

impl Picked {
    /// Labels of one git repository in requested order; the last one ranks highest (contract 2.6).
    pub(super) fn git(mut choices: Vec<Choice>) -> Self {
        let commits: Vec<&str> = choices.iter().map(|choice| choice.head.commit().as_str()).collect();
        let version = Some(commits.join(","));
        choices.reverse();
        Self {
            choices,
            version,
            state: Some(""),
        }
    }

    pub(in crate::store) fn native(choice: Choice, version: Option<String>) -> Self {
        Self {
            choices: vec![choice],
            version,
            state: None,
        }
    }

    /// Members of a composite in order: nobody can say which version that is (contract 1.3).
    pub(super) fn composite(members: Vec<Self>) -> Self {
        Self {
            choices: members.into_iter().flat_map(|member| member.choices).collect(),
            version: None,
            state: None,
        }
    }

    pub(in crate::store) fn choices(&self) -> &[Choice] {
        &self.choices
    }

    /// Whose heads these are, each once.
    pub(in crate::store) fn upstreams(&self) -> Vec<Arc<dyn Upstream>> {
        let mut upstreams: Vec<Arc<dyn Upstream>> = Vec::new();
        for choice in &self.choices {
            if !upstreams.iter().any(|known| Arc::ptr_eq(known, &choice.upstream)) {
                upstreams.push(choice.upstream.clone());
            }
        }
        upstreams
    }

    pub(in crate::store) fn into_view(self) -> View {
        let single = match &*self.choices {
            [choice] => Some(choice.head.clone()),
            _ => None,
        };
        let stale = self
            .choices
            .iter()
            .filter_map(|choice| choice.upstream.contact().stale())
            .max();
        View {
            layers: self.choices.into_iter().map(Choice::into_layer).collect(),
            version: self.version,
            state: self.state,
            stale,
            moved: single.as_ref().and_then(|head| head.moved.clone()),
            label: single.map(|head| head.label.clone()),
        }
    }
}

impl Choice {
    fn into_layer(self) -> Layer {
        Layer {
            snapshot: self.head.current.snapshot.clone(),
            earlier: self.head.earlier.clone(),
            soundest: self.head.soundest().clone(),
            layout: self.upstream.heads().layout.clone(),
            label: self.label,
        }
    }
}
