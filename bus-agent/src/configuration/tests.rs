use contract::SourceValue;
use serde_json::json;

use super::*;

fn environment(sources: &[(&str, Value)]) -> Environment {
    serde_json::from_value(json!({
        "name": "orders", "profiles": ["dev"], "label": null, "version": null, "state": "",
        "propertySources": sources.iter().map(|(name, source)| json!({"name": name, "source": source})).collect::<Vec<_>>(),
    }))
    .expect("an environment")
}

fn revision(digest: &str) -> Revision {
    Revision {
        digest: digest.to_owned(),
        etag: None,
        version: None,
        moved: None,
    }
}

fn configuration(sources: &[(&str, Value)]) -> Configuration {
    Configuration::new(revision("d"), &environment(sources), &Local::default())
}

fn texts(configuration: &Configuration) -> BTreeMap<String, String> {
    configuration
        .entries()
        .map(|entry| (entry.key.clone(), entry.text()))
        .collect()
}

fn expect(sources: &[(&str, Value)], expected: &[(&str, &str)]) {
    let expected: BTreeMap<_, _> = expected
        .iter()
        .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
        .collect();
    assert_eq!(texts(&configuration(sources)), expected);
}

#[test]
fn the_first_source_with_a_key_in_any_spelling_wins() {
    expect(
        &[
            ("dev", json!({"db.max-pool-size": 9})),
            ("base", json!({"db.maxPoolSize": 5, "db.url": "u"})),
        ],
        &[("db.max-pool-size", "9"), ("db.url", "u")],
    );
}

#[test]
fn a_list_belongs_as_a_whole_to_the_first_source_that_has_a_part_of_it() {
    expect(
        &[
            ("dev", json!({"hosts[0]": "x", "pools[0].name": "p"})),
            (
                "base",
                json!({"hosts[0]": "a", "hosts[1]": "b", "pools[0].size": 4, "pools[1].name": "q"}),
            ),
        ],
        &[("hosts[0]", "x"), ("pools[0].name", "p")],
    );
}

#[test]
fn a_text_replaces_a_list_and_a_list_a_text() {
    expect(
        &[
            ("dev", json!({"one": "a,b", "two[0]": "x"})),
            ("base", json!({"one[0]": "c", "two": "y"})),
        ],
        &[("one", "a,b"), ("two[0]", "x")],
    );
}

#[test]
fn maps_are_merged() {
    expect(
        &[
            ("dev", json!({"m.a": 1, "m[/x]": 2})),
            ("base", json!({"m.b": 3, "m[/x]": 4})),
        ],
        &[("m.a", "1"), ("m[/x]", "2"), ("m.b", "3")],
    );
}

#[test]
fn placeholders_are_resolved_over_all_sources() {
    expect(
        &[
            (
                "dev",
                json!({"host": "h", "url": "http://${host}:${server.port}/${path:root}", "nested": "${a:${b:${host}}}"}),
            ),
            (
                "base",
                json!({"server.port": 8080, "kept": "${unknown} and ${open", "escaped": "\\${host}", "indirect": "${${name}}", "name": "host"}),
            ),
        ],
        &[
            ("host", "h"),
            ("url", "http://h:8080/root"),
            ("nested", "h"),
            ("server.port", "8080"),
            ("kept", "${unknown} and ${open"),
            ("escaped", "${host}"),
            ("indirect", "h"),
            ("name", "host"),
        ],
    );
}

#[test]
fn circles_and_bombs_stay_as_they_are_written() {
    let bomb: serde_json::Map<String, Value> = (0..31)
        .map(|n| (format!("b{n}"), json!(format!("${{b{}}}${{b{}}}", n + 1, n + 1))))
        .collect();
    let bombed = configuration(&[("a", Value::Object(bomb)), ("b", json!({"b31": "xx"}))]);
    assert_eq!(bombed.get("b0").expect("kept").text(), "${b1}${b1}");
    expect(
        &[("a", json!({"x": "${y}", "y": "${x}"}))],
        &[("x", "${y}"), ("y", "${x}")],
    );
}

#[test]
fn variables_of_the_surroundings_win_in_placeholders() {
    let variables = Variables::from([("DB_HOST".to_owned(), "from-env".to_owned())]);
    let sources = environment(&[(
        "a",
        json!({"url": "${db.host}", "db.host": "from-file", "raw": "${DB_HOST}"}),
    )]);
    let configuration = Configuration::new(revision("d"), &sources, &Local::with_variables(variables));
    assert_eq!(configuration.get("url").expect("url").text(), "from-env");
    assert_eq!(configuration.get("raw").expect("raw").text(), "from-env");
    assert_eq!(configuration.get("db.host").expect("host").text(), "from-file");
}

#[test]
fn overrides_and_pins_win_and_name_another_configuration() {
    let served = environment(&[("a", json!({"x": 1, "y": 1, "z": 1}))]);
    let mut local = Local::default();
    assert_eq!(
        Configuration::new(revision("d"), &served, &local).revision().digest,
        "d"
    );
    let override_y = PropertySourceOf("o", [("x", json!(2)), ("y", json!(2))]).into();
    assert!(local.set_overrides(vec![override_y]));
    local.pin(IndexMap::from([("x".to_owned(), Some("3".to_owned()))]));
    let merged = Configuration::new(revision("d"), &served, &local);
    assert_eq!(merged.get("x").expect("x").text(), "3");
    assert_eq!(merged.get("y").expect("y").text(), "2");
    assert_eq!(merged.get("z").expect("z").text(), "1");
    assert_ne!(merged.revision().digest, "d");
    local.pin(IndexMap::from([("x".to_owned(), None)]));
    assert!(local.set_overrides(vec![]));
    assert_eq!(
        Configuration::new(revision("d"), &served, &local).revision().digest,
        "d"
    );
}

struct PropertySourceOf<const N: usize>(&'static str, [(&'static str, Value); N]);

impl<const N: usize> From<PropertySourceOf<N>> for contract::PropertySource {
    fn from(PropertySourceOf(name, values): PropertySourceOf<N>) -> Self {
        Self {
            name: name.to_owned(),
            source: values
                .into_iter()
                .map(|(k, v)| (k.to_owned(), SourceValue::from(v)))
                .collect(),
        }
    }
}

#[test]
fn changed_keys_are_those_added_removed_or_different() {
    let old = configuration(&[("a", json!({"same": 1, "gone": 1, "db.pool-size": 1}))]);
    let new = configuration(&[("a", json!({"same": 1, "came": 1, "db.poolSize": 2}))]);
    let changed = KeysChanged::between(Some(&old), &new);
    assert_eq!(changed.iter().collect::<Vec<_>>(), ["came", "db.poolSize", "gone"]);
    assert!(changed.contains("DB.POOL_SIZE"));
    assert_eq!(changed.under("db").len(), 1);
    assert_eq!(changed.under("").len(), 3);
    assert!(KeysChanged::between(Some(&old), &old).is_empty());
}

#[test]
fn origins_name_source_line_and_column() {
    let sources = environment(&[("repo/orders.yml", json!({"x": {"value": 1, "origin": "3:5"}}))]);
    let configuration = Configuration::new(revision("d"), &sources, &Local::default());
    assert_eq!(
        configuration.get("x").expect("x").origin.to_string(),
        "repo/orders.yml:3:5"
    );
}

#[test]
fn debug_shows_no_value() {
    let secret = configuration(&[("a", json!({"password": "s3cret"}))]);
    assert!(!format!("{secret:?} {:?}", secret.get("password")).contains("s3cret"));
}
