use proptest::prelude::*;

use super::super::value::Property;
use super::*;

fn lookup(pairs: &[(&str, &str)]) -> Lookup {
    let property = |(key, text): &(&str, &str)| Property {
        key: (*key).into(),
        value: Value::Text((*text).into()),
        origin: None,
    };
    Lookup::new(&[Source {
        name: "test".into(),
        properties: pairs.iter().map(property).collect(),
    }])
}

fn sample() -> Lookup {
    lookup(&[
        ("host", "shared.example"),
        ("port", "8080"),
        ("url", "http://${host}:${port}/x"),
        ("mid", "fix"),
        ("prefix", "found"),
        ("missing", "${nope}"),
        ("a:b", "whole"),
        ("escaped", "\\${host}"),
        ("cycle", "${ecycl}"),
        ("ecycl", "-${cycle}-"),
        ("list[0]", "x"),
    ])
}

fn resolve(form: Form, text: &str) -> String {
    let lookup = sample();
    match Resolver::new(&lookup, form, &Limits::default()).resolve(text) {
        Ok(resolved) => resolved.into_owned(),
        Err(error) => error.to_string(),
    }
}

fn check(text: &str, expected: &str) {
    assert_eq!(resolve(Form::Text, text), expected, "{text}");
    assert_eq!(resolve(Form::Value, text), expected, "{text}");
}

#[test]
fn keys_defaults_and_nesting_resolve() {
    check("${host}", "shared.example");
    check("${url}/deep", "http://shared.example:8080/x/deep");
    check("${nope}", "${nope}");
    check("${missing}", "${nope}");
    check("${missing:d}", "${nope}");
    check("${nope:dflt}", "dflt");
    check("${nope:}", "");
    check("${nope:${host}}", "shared.example");
    check("${nope:a${nope:b}c}", "abc");
    check("${pre${mid}}", "found");
    check("${un${mid}}", "${unfix}");
    check("${a:b}", "whole");
    check("${a:b:c}", "b:c");
    check("${a\\:b}", "whole");
    check("${list[0]} ${list}", "x ${list}");
    check("${} ${:d}", "${} d");
}

#[test]
fn what_is_no_placeholder_stays() {
    check("$host {host} #{1+1} @x@", "$host {host} #{1+1} @x@");
    check("${unclosed", "${unclosed");
    check("${unclosed ${host}", "${unclosed shared.example");
    check("} ${host} {", "} shared.example {");
    check("${nope:{x}}", "{x}");
    check("$${host}", "$shared.example");
}

#[test]
fn backslashes_escape_and_vanish() {
    check("\\${host}", "${host}");
    check("\\\\${host}", "${host}");
    check("\\\\\\\\${host}", "\\\\${host}");
    check("${escaped}", "${host}");
    check("${nope:\\${host}}", "${host}");
}

#[test]
fn blanks_belong_to_the_key_in_whole_texts_only() {
    assert_eq!(resolve(Form::Text, "${ host }"), "${ host }");
    assert_eq!(resolve(Form::Value, "${ host }"), "shared.example");
}

#[test]
fn cycles_are_an_error() {
    check("${cycle}", "the placeholder `cycle` leads back to itself");
    check("${nope:${ecycl}}", "the placeholder `ecycl` leads back to itself");
}

#[test]
fn hostile_texts_are_refused_or_stay_cheap() {
    check(&"${".repeat(100_000), &"${".repeat(100_000));
    let deep = "${".repeat(1000) + &"}".repeat(1000);
    check(
        &deep,
        "resolving placeholders passes the limit `config-bus.limits.depth`",
    );

    let names: Vec<String> = (0..=60).map(|n| format!("k{n}")).collect();
    let values: Vec<String> = (0..60).map(|n| format!("${{k{0}}}${{k{0}}}", n + 1)).collect();
    let mut pairs: Vec<_> = names
        .iter()
        .zip(&values)
        .map(|(k, v)| (k.as_str(), v.as_str()))
        .collect();
    pairs.push(("k60", "x"));
    let bomb = resolve_text("${k0}", &lookup(&pairs), &Limits::default());
    assert_eq!(bomb, Err(PlaceholderError::Limit(Limits::EXPANSION)));
    pairs.pop();
    pairs.push(("k60", ""));
    let hollow = resolve_text("${k0}", &lookup(&pairs), &Limits::default());
    assert_eq!(hollow.as_deref(), Ok(""));
}

#[test]
fn the_highest_source_wins() {
    let source = |text: &str| Source {
        name: "test".into(),
        properties: [Property {
            key: "a".into(),
            value: Value::Text(text.into()),
            origin: None,
        }]
        .into(),
    };
    let lookup = Lookup::new(&[source("high"), source("low")]);
    assert_eq!(resolve_text("${a}", &lookup, &Limits::default()).as_deref(), Ok("high"));
}

proptest! {
    #[test]
    fn resolving_any_text_ends(
        parts in proptest::collection::vec(
            proptest::sample::select(vec!["${", "}", "{", ":", "\\", "$", "host", "url", "cycle", "pre", "mid", "é", " "]),
            0..40,
        )
    ) {
        let _ = resolve(Form::Text, &parts.concat());
        let _ = resolve(Form::Value, &parts.concat());
    }

    #[test]
    fn text_without_placeholders_is_untouched(text in "[a-z{}\\\\: ]*") {
        prop_assert_eq!(resolve(Form::Text, &text), text);
    }
}
