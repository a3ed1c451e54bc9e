use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bus_agent::Revision;
use bus_agent::configuration::Local;
use contract::Environment;
use serde::Deserialize;
use serde_json::{Value, json};

use super::*;
use crate::DataSize;

fn configuration(source: &Value) -> Configuration {
    let environment: Environment = serde_json::from_value(json!({
        "name": "orders", "profiles": ["default"], "label": null, "version": null, "state": "",
        "propertySources": [{"name": "repo/orders.yml", "source": source}],
    }))
    .expect("an environment");
    let revision = Revision {
        digest: "d".to_owned(),
        etag: None,
        version: None,
        moved: None,
    };
    Configuration::new(revision, &environment, &Local::default())
}

fn bound<T: DeserializeOwned>(source: &Value, prefix: &str) -> T {
    match bind(&configuration(source), prefix) {
        Ok(bound) => bound.value,
        Err(error) => panic!("{error}"),
    }
}

fn fault<T: DeserializeOwned>(source: &Value, prefix: &str) -> BindError {
    bind::<T>(&configuration(source), prefix)
        .map(|_| ())
        .expect_err("a fault")
}

#[derive(Debug, PartialEq, Deserialize)]
struct Pool {
    max_pool_size: u16,
    #[serde(default)]
    url: String,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
struct CamelPool {
    max_pool_size: u16,
}

#[test]
fn every_spelling_of_a_key_binds_to_every_spelling_of_a_field() {
    for key in [
        "maxPoolSize",
        "max-pool-size",
        "max_pool_size",
        "MAX_POOL_SIZE",
        "maxpoolsize",
    ] {
        let source = json!({ format!("app.my-db.{key}"): 5 });
        assert_eq!(bound::<Pool>(&source, "app.myDb").max_pool_size, 5, "{key}");
        assert_eq!(bound::<CamelPool>(&source, "APP.MY_DB").max_pool_size, 5, "{key}");
    }
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Mode {
    ReadOnly,
    ReadWrite,
    Custom { level: u8 },
}

#[derive(Debug, PartialEq, Deserialize)]
struct Everything {
    port: u16,
    ratio: f32,
    enabled: bool,
    letter: char,
    timeout: Duration,
    limit: DataSize,
    mode: Mode,
    special: Mode,
    hosts: Vec<String>,
    ports: Vec<u16>,
    pair: (u8, u8),
    tags: BTreeSet<String>,
    labels: BTreeMap<String, String>,
    routes: BTreeMap<String, u16>,
    absent: Option<u16>,
    blank: Option<u16>,
    present: Option<u16>,
    nested: Vec<Pool>,
    negative: i8,
    plain: Value,
}

#[test]
fn texts_and_typed_values_bind_to_every_kind_of_type() {
    let source = json!({
        "port": "0x1F90", "ratio": "0.5", "enabled": "yes", "letter": "x", "timeout": "1m", "limit": "2KB",
        "mode": "READ_ONLY", "special.custom.level": "3", "hosts": "a, b", "ports[0]": "1", "ports[1]": 2,
        "pair[0]": 1, "pair[1]": 2, "tags[0]": "t", "labels.Some-Name": "v", "labels[/x.y]": "w", "routes[7]": 8,
        "blank": "", "present": 4, "nested[0].maxPoolSize": 1, "nested[1].maxPoolSize": 2, "nested[1].url": "u",
        "negative": "-5", "plain.a[0]": 1, "plain.a[1]": "x",
    });
    let pool = |max_pool_size, url: &str| Pool {
        max_pool_size,
        url: url.to_owned(),
    };
    let expected = Everything {
        port: 8080,
        ratio: 0.5,
        enabled: true,
        letter: 'x',
        timeout: Duration::from_secs(60),
        limit: DataSize::from_bytes(2048),
        mode: Mode::ReadOnly,
        special: Mode::Custom { level: 3 },
        hosts: vec!["a".to_owned(), "b".to_owned()],
        ports: vec![1, 2],
        pair: (1, 2),
        tags: BTreeSet::from(["t".to_owned()]),
        labels: BTreeMap::from([
            ("Some-Name".to_owned(), "v".to_owned()),
            ("/x.y".to_owned(), "w".to_owned()),
        ]),
        routes: BTreeMap::from([("7".to_owned(), 8)]),
        absent: None,
        blank: None,
        present: Some(4),
        nested: vec![pool(1, ""), pool(2, "u")],
        negative: -5,
        plain: json!({"a": [1, "x"]}),
    };
    assert_eq!(bound::<Everything>(&source, ""), expected);
}

#[test]
fn an_empty_text_is_an_empty_list_or_map() {
    assert_eq!(bound::<Vec<u8>>(&json!({"l": ""}), "l"), Vec::<u8>::new());
    assert_eq!(bound::<BTreeMap<String, u8>>(&json!({"m": ""}), "m"), BTreeMap::new());
    assert_eq!(bound::<Vec<u8>>(&json!({}), "l"), Vec::<u8>::new());
}

#[test]
fn a_fault_names_the_key_and_the_place_and_never_the_value() {
    let at = |value: Value| json!({"db.max-pool-size": {"value": value, "origin": "3:18"}});
    let error = fault::<Pool>(&at(json!("s3cret")), "db");
    assert_eq!(
        error.to_string(),
        "`db.max-pool-size` (repo/orders.yml:3:18): expected a whole number"
    );
    let error = fault::<Pool>(&at(json!(70_000)), "db");
    assert_eq!(
        error.to_string(),
        "`db.max-pool-size` (repo/orders.yml:3:18): expected u16"
    );
    let error = fault::<Pool>(&json!({"db.url": "u"}), "db");
    assert_eq!(error.to_string(), "`db.max-pool-size`: is missing");
    let error = fault::<Mode>(&json!({"mode": "s3cret"}), "mode");
    assert_eq!(
        error.to_string(),
        "`mode` (repo/orders.yml): expected one of `read-only`, `read-write`, `custom`"
    );
    let error = fault::<Vec<u8>>(&json!({"l[0]": 1, "l[2]": 3}), "l");
    assert_eq!(
        error.to_string(),
        "`l`: expected an element [1], because there is a later one"
    );
    let error = fault::<Vec<u8>>(&json!({"l": "1,s3cret"}), "l");
    assert_eq!(error.to_string(), "`l` (repo/orders.yml): expected a whole number");
    let error = fault::<Pool>(&json!({"db": "s3cret"}), "db");
    assert_eq!(
        error.to_string(),
        "`db` (repo/orders.yml): expected a map, not one value"
    );
}

#[derive(Debug)]
struct Talkative;

impl<'de> Deserialize<'de> for Talkative {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Err(serde::de::Error::custom(format!("I do not like {text}")))
    }
}

#[test]
fn what_a_type_says_itself_is_shown_here_and_kept_out_of_reports() {
    let error = fault::<Talkative>(&json!({"token": "s3cret"}), "token");
    assert!(error.to_string().contains("s3cret"));
    assert_eq!(error.reason(), "`token` (repo/orders.yml): its type refuses the value");
}

#[test]
fn only_what_a_type_reads_counts_as_read() {
    let read = |source: Value| {
        bind::<Pool>(&configuration(&source), "db")
            .map(|bound| bound.reading)
            .expect("bound")
    };
    let before = read(json!({"db.max-pool-size": 5, "db.unknown": 1}));
    assert_eq!(
        before,
        read(json!({"db.maxPoolSize": "5", "db.unknown": 2, "other": 3}))
    );
    assert_ne!(before, read(json!({"db.max-pool-size": 6})));
    assert_ne!(before, read(json!({"db.max-pool-size": 5, "db.url": "u"})));
}

#[test]
fn the_names_of_a_map_count_as_read() {
    let read = |source: Value| {
        bind::<BTreeMap<String, Option<u8>>>(&configuration(&source), "m")
            .map(|bound| bound.reading)
            .expect("bound")
    };
    assert_ne!(read(json!({"m.a-b": 1})), read(json!({"m.ab": 1})));
    assert_ne!(read(json!({"m.a": ""})), read(json!({"m.b": ""})));
}

#[derive(Debug, PartialEq, Deserialize)]
struct Flattened {
    name: String,
    #[serde(flatten)]
    rest: BTreeMap<String, Value>,
}

#[test]
fn flattened_types_keep_the_types_of_values() {
    let flat: Flattened = bound(&json!({"x.name": "n", "x.port": 5, "x.on": true}), "x");
    assert_eq!(
        flat.rest,
        BTreeMap::from([("port".to_owned(), json!(5)), ("on".to_owned(), json!(true))])
    );
}

proptest::proptest! {
    #[test]
    fn no_configuration_breaks_the_binder(keys in proptest::collection::vec("[a-z.\\[\\]0-9_-]{1,12}", 0..8)) {
        let source: serde_json::Map<String, Value> = keys.into_iter().map(|key| (key, json!("1"))).collect();
        let _ = bind::<Everything>(&configuration(&Value::Object(source)), "").map(|_| ());
    }
}
