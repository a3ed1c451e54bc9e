//! The `git` backend: a repository, the ones that patterns choose before it, and addresses with
//! placeholders.

use std::sync::Arc;

use tracing::warn;

use super::OpenError;
use super::address::Template;
use super::patterns::Patterns;
use super::picked::{Choice, Picked};
use super::templates::Templates;
use crate::engine::query::Query;
use crate::settings::GitSettings;
use crate::store::head_log::Cause;
use crate::store::repository::{Repository, Surroundings};
use crate::store::upstream::Upstream;
use crate::store::view::ViewError;

/// Chooses the repository of a request.
#[derive(Debug)]
pub(in crate::store) struct GitSource {
    /// In declaration order.
    patterned: Vec<(Patterns, Site)>,
    default: Site,
}

/// One configured address.
#[derive(Debug)]
enum Site {
    Fixed(Arc<Repository>),
    Completed(Templates),
}

impl GitSource {
    pub(super) async fn open(
        settings: &GitSettings,
        names: &mut Names,
        surroundings: &Surroundings,
    ) -> Result<Self, OpenError> {
        let default = Site::open(settings, names, surroundings).await?;
        let mut patterned = Vec::with_capacity(settings.repos.len());
        for repo in &settings.repos {
            let site = Site::open(&repo.git, names, surroundings).await?;
            patterned.push((Patterns::new(&repo.patterns), site));
        }
        Ok(Self { patterned, default })
    }

    /// The first matching repository that has an answer; in the end the default one. A repository
    /// that fails is passed over, as the stock server does (contract 2.7).
    pub(super) async fn pick(&self, query: &Query) -> Result<Picked, ViewError> {
        for (patterns, site) in &self.patterned {
            if !patterns.take(&query.name, &query.profiles_text) {
                continue;
            }
            match site.pick(query).await {
                Ok(picked) => return Ok(picked),
                Err(error) => warn!(app.name = %query.name, %error, "a matching repository is passed over"),
            }
        }
        self.default.pick(query).await
    }

    pub(super) fn upstreams(&self) -> Vec<Arc<dyn Upstream>> {
        let sites = self.patterned.iter().map(|(_, site)| site).chain([&self.default]);
        sites.flat_map(Site::upstreams).collect()
    }
}

impl Site {
    async fn open(settings: &GitSettings, names: &mut Names, surroundings: &Surroundings) -> Result<Self, OpenError> {
        if Template::is_one(&settings.uri) {
            let template = Template::new(&settings.uri)?;
            let number = names.template();
            return Ok(Self::Completed(Templates::new(
                template,
                number,
                settings,
                surroundings,
            )));
        }
        let name = names.unique(&settings.uri);
        let repository = Repository::open(settings, name.as_deref(), surroundings).await?;
        if settings.clone_on_start && !repository.is_known() {
            let looked = repository.look(Cause::Start).await;
            if let Some(failure) = looked.failures.into_iter().next() {
                return Err(OpenError::Clone(failure));
            }
        }
        Ok(Self::Fixed(repository))
    }

    async fn pick(&self, query: &Query) -> Result<Picked, ViewError> {
        match self {
            Self::Fixed(repository) => of(repository, query).await,
            Self::Completed(templates) => completed(templates, query).await,
        }
    }

    fn upstreams(&self) -> Vec<Arc<dyn Upstream>> {
        match self {
            Self::Fixed(repository) => vec![repository.clone()],
            Self::Completed(templates) => templates
                .all()
                .into_iter()
                .map(|repository| repository as Arc<dyn Upstream>)
                .collect(),
        }
    }
}

/// Tries the completed address of each profile, the last one first.
async fn completed(templates: &Templates, query: &Query) -> Result<Picked, ViewError> {
    let label = query.label.as_deref().unwrap_or(&templates.settings().default_label);
    let mut outcome = Err(ViewError::UnknownLabel(label.to_owned()));
    let mut tried = Vec::new();
    for profile in query.profiles.iter().rev() {
        let uri = templates
            .template
            .complete(&query.name, profile, label)
            .map_err(|refused| ViewError::Refused(refused.to_string()))?;
        if tried.contains(&uri) {
            continue;
        }
        tried.push(uri.clone());
        outcome = match templates.at(uri).await {
            Ok(repository) => of(&repository, query).await,
            Err(error) => Err(ViewError::Unreachable(error.to_string())),
        };
        if outcome.is_ok() {
            break;
        }
    }
    outcome
}

/// The heads of the requested labels in one repository.
async fn of(repository: &Arc<Repository>, query: &Query) -> Result<Picked, ViewError> {
    repository.check_if_strict().await;
    let settings = repository.settings();
    let Some(text) = &query.label else {
        let head = repository.head(&settings.default_label).await?;
        return Ok(Picked::git(vec![choice(repository, head, &settings.default_label)]));
    };
    let labels: Vec<&str> = text
        .split(',')
        .map(str::trim)
        .filter(|label| !label.is_empty())
        .collect();
    if labels.is_empty() {
        return Err(ViewError::UnknownLabel(text.clone()));
    }
    let several = labels.len() > 1;
    let mut choices = Vec::with_capacity(labels.len());
    for label in labels {
        match repository.head(label).await {
            Ok(head) => choices.push(choice(repository, head, label)),
            Err(ViewError::UnknownLabel(_)) if several && settings.continue_on_multiple_label_failure => {}
            Err(error) => return Err(error),
        }
    }
    Ok(Picked::git(choices))
}

fn choice(repository: &Arc<Repository>, head: Arc<crate::store::heads::Head>, label: &str) -> Choice {
    Choice {
        upstream: repository.clone(),
        head,
        label: label.into(),
    }
}

/// Tells apart the uses of one address in several places of the settings: each has a mirror and a
/// log of its own.
#[derive(Default)]
pub(super) struct Names {
    uses: std::collections::HashMap<String, usize>,
    templates: usize,
}

impl Names {
    /// A name other than the address, when the address was used before.
    fn unique(&mut self, uri: &str) -> Option<String> {
        let uses = self.uses.entry(uri.to_owned()).or_default();
        *uses += 1;
        let shown = crate::git::Remote::parse(uri).ok()?.shown;
        (*uses > 1).then(|| format!("{shown} ({uses})"))
    }

    /// The number of the next template.
    fn template(&mut self) -> usize {
        self.templates += 1;
        self.templates
    }
}
