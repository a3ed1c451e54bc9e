//! How a subscriber names itself in the query of `GET /bus/events`.

use contract::{AppName, BusId, NameError, Profile};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::subscriber::Subscriber;

/// The query parameters, each named as its field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubscriberQuery {
    /// The bus id.
    pub id: String,
    /// The applications, joined with `,`.
    pub application: String,
    /// The profiles, joined with `,`; absent is `default`.
    #[serde(default)]
    pub profiles: String,
    /// The label, with real slashes.
    #[serde(default)]
    pub label: Option<String>,
}

impl SubscriberQuery {
    /// Puts the parameters into the query of `url`.
    pub fn append_to(&self, url: &mut Url) {
        let mut pairs = url.query_pairs_mut();
        pairs.append_pair("id", &self.id);
        pairs.append_pair("application", &self.application);
        pairs.append_pair("profiles", &self.profiles);
        if let Some(label) = &self.label {
            pairs.append_pair("label", label);
        }
    }
}

impl From<&Subscriber> for SubscriberQuery {
    fn from(subscriber: &Subscriber) -> Self {
        let applications: Vec<&str> = subscriber.applications.iter().map(AppName::as_str).collect();
        let profiles: Vec<&str> = subscriber.profiles.iter().map(Profile::as_str).collect();
        Self {
            id: subscriber.bus_id.to_string(),
            application: applications.join(","),
            profiles: profiles.join(","),
            label: subscriber.label.as_ref().map(ToString::to_string),
        }
    }
}

impl TryFrom<SubscriberQuery> for Subscriber {
    type Error = NameError;

    fn try_from(query: SubscriberQuery) -> Result<Self, NameError> {
        Ok(Self {
            bus_id: BusId::try_from(query.id)?,
            applications: query.application.split(',').map(str::parse).collect::<Result<_, _>>()?,
            profiles: listed(&query.profiles).map(str::parse).collect::<Result<_, _>>()?,
            label: query
                .label
                .filter(|label| !label.is_empty())
                .map(|l| l.parse())
                .transpose()?,
        })
    }
}

fn listed(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subscriber_survives_its_query() {
        let query = SubscriberQuery {
            id: "orders:dev,eu:8080:a".to_owned(),
            application: "orders,shared".to_owned(),
            profiles: "dev,eu".to_owned(),
            label: Some("feature/x".to_owned()),
        };
        let subscriber = Subscriber::try_from(query.clone()).expect("a subscriber");
        assert_eq!(SubscriberQuery::from(&subscriber), query);
        let mut url: Url = "http://localhost/bus/events".parse().expect("a URL");
        query.append_to(&mut url);
        assert_eq!(
            url.query(),
            Some("id=orders%3Adev%2Ceu%3A8080%3Aa&application=orders%2Cshared&profiles=dev%2Ceu&label=feature%2Fx")
        );
    }

    #[test]
    fn names_that_are_none_are_refused() {
        let query = |id: &str, application: &str| SubscriberQuery {
            id: id.to_owned(),
            application: application.to_owned(),
            profiles: String::new(),
            label: None,
        };
        assert!(Subscriber::try_from(query("a:1:b", "orders")).is_ok());
        assert!(Subscriber::try_from(query("a:*:b", "orders")).is_err());
        assert!(Subscriber::try_from(query("a:1:b", "")).is_err());
        assert!(Subscriber::try_from(query("a:1:b", "x,../y")).is_err());
    }
}
