//! The messages that were sent to stock Spring applications, and what those did.

use bus::amqp::AmqpSettings;
use bus::{Signal, Subscriber};
use contract::EventKind;
use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable};
use serde::Deserialize;
use std::collections::BTreeMap;

use crate::harness::{Stranger, World, connected, shared, signal};

const RECORDED: &str = include_str!("../data/inbound.json");
const HASH: &str = "0123456789abcdef0123456789abcdef";
/// Sent after each case: when it arrives, the case had its time.
const END: &str =
    r#"{"type":"RefreshRemoteApplicationEvent","originService":"end:1:a","destinationService":"**","id":"end"}"#;

/// What ours does and Spring does not, each on purpose.
const DEVIATIONS: &[(&str, &str)] = &[
    ("snake-case", "a member written by another naming strategy is read"),
    ("content-type-missing", "what parses is taken, whatever it is called"),
    ("content-type-text-plain", "what parses is taken, whatever it is called"),
    (
        "content-type-octet-stream",
        "what parses is taken, whatever it is called",
    ),
    ("content-type-plus-json", "what parses is taken, whatever it is called"),
    (
        "header-named-contentType",
        "what parses is taken, whatever it is called",
    ),
    ("env-null", "a null value reads as a removal"),
    ("env-null-last", "a null value reads as a removal"),
    ("env-null-existing", "a null value reads as a removal"),
];

#[derive(Deserialize)]
struct Case {
    name: String,
    properties: Properties,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    body: Option<String>,
    body_hex: Option<String>,
    /// By the application without profiles, and by the one with `dev,cloud`.
    handled: [bool; 2],
}

#[derive(Deserialize)]
struct Properties {
    content_type: Option<String>,
    content_encoding: Option<String>,
}

impl Case {
    fn body(&self) -> Vec<u8> {
        let Some(hex) = &self.body_hex else {
            return self.text().into_bytes();
        };
        (0..hex.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).expect("a digit pair"))
            .collect()
    }

    fn text(&self) -> String {
        let mut text = self.body.clone().unwrap_or_default();
        for (placeholder, value) in [
            ("{time}", "1795374753109"),
            ("{uuid-1}", "ce372104-22bb-4c81-b74d-7ee40ee773c4"),
            ("{uuid-2}", "1f8a7a9f-f9fd-4ab5-b379-7b43ddbce9e7"),
            ("{client-hash}", HASH),
            ("{client-id}", &format!("demo-client:18081:{HASH}")),
        ] {
            text = text.replace(placeholder, value);
        }
        text
    }

    fn properties(&self) -> BasicProperties {
        let mut headers = FieldTable::default();
        for (name, value) in &self.headers {
            headers.insert(name.as_str().into(), AMQPValue::LongString(value.as_str().into()));
        }
        let mut properties = BasicProperties::default().with_headers(headers);
        if let Some(kind) = &self.properties.content_type {
            properties = properties.with_content_type(kind.as_str().into());
        }
        if let Some(encoding) = &self.properties.content_encoding {
            properties = properties.with_content_encoding(encoding.as_str().into());
        }
        properties
    }

    fn expected(&self) -> [bool; 2] {
        match DEVIATIONS.iter().any(|(name, _)| *name == self.name) {
            true => self.handled.map(|handled| !handled),
            false => self.handled,
        }
    }
}

fn client(id: &str, profiles: &[&str]) -> Subscriber {
    Subscriber {
        bus_id: id.parse().expect("an id"),
        applications: vec!["demo-client".parse().expect("a name")],
        profiles: profiles.iter().map(|p| p.parse().expect("a profile")).collect(),
        label: None,
    }
}

async fn follow(world: &World, settings: &AmqpSettings, subscriber: Subscriber) -> bus::Link {
    let mut link = bus::amqp::follow(settings.clone(), subscriber, &world.tracker, world.stop.clone());
    connected(&mut link).await;
    link
}

/// Whether anything was handed over before the end marker.
async fn handled(link: &mut bus::Link) -> bool {
    let mut any = false;
    loop {
        match signal(link).await {
            Signal::Received(message) if message.event.origin == "end:1:a" => return any,
            Signal::Received(message) => {
                assert!(matches!(
                    message.event.kind,
                    EventKind::Refresh | EventKind::EnvironmentChange(_)
                ));
                any = true;
            }
            Signal::Rejected(_) => {}
            other => panic!("the connection did not hold: {other:?}"),
        }
    }
}

#[tokio::test]
async fn every_recorded_message_does_what_it_did_to_spring_or_deviates_on_purpose() {
    let cases: Vec<Case> = serde_json::from_str(RECORDED).expect("the recorded messages");
    let (broker, settings) = shared().await;
    let world = World::new();
    let _server = world.server(&settings).await;
    let plain = client(&format!("demo-client:18081:{HASH}"), &[]);
    let mut plain = follow(&world, &settings, plain).await;
    let profiles = client(&format!("demo-client:dev,cloud:18082:{HASH}2"), &["dev", "cloud"]);
    let mut profiles = follow(&world, &settings, profiles).await;
    let spring = Stranger::join(broker.address(), &settings.virtual_host).await;

    let mut wrong = Vec::new();
    for case in &cases {
        spring.say(&case.body(), case.properties()).await;
        spring.say(END.as_bytes(), BasicProperties::default()).await;
        let ours = [handled(&mut plain).await, handled(&mut profiles).await];
        if ours != case.expected() {
            wrong.push(format!("{}: ours {ours:?}, expected {:?}", case.name, case.expected()));
        }
    }
    assert!(wrong.is_empty(), "of {} messages:\n{}", cases.len(), wrong.join("\n"));
    assert!(cases.len() > 130);
}
