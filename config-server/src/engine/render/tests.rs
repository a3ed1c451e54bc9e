use proptest::prelude::*;

use super::super::document::Format;
use super::super::parse::parse;
use super::super::value::{Origin, Property};
use super::*;

fn source(name: &str, properties: Vec<(&str, Value)>) -> Source {
    let property = |(key, value): (&str, Value)| Property {
        key: key.into(),
        value,
        origin: Some(Origin { line: 1, column: 2 }),
    };
    Source {
        name: name.into(),
        properties: properties.into_iter().map(property).collect(),
    }
}

fn text(text: &str) -> Value {
    Value::Text(text.into())
}

fn render(form: Merged, sources: &[Source]) -> String {
    match merged(form, sources, true, true, &Limits::default()) {
        Ok(bytes) => String::from_utf8(bytes.to_vec()).expect("text"),
        Err(error) => error.to_string(),
    }
}

/// What the texts of `.properties` lines become, as JSON.
fn check_json(properties: &str, expected: &str) {
    let documents = parse(Format::Properties, properties.as_bytes(), &Limits::default()).expect("properties");
    let sources = [Source {
        name: "test".into(),
        properties: documents
            .first()
            .map(|document| document.properties.clone())
            .unwrap_or_default(),
    }];
    assert_eq!(render(Merged::Json, &sources), expected, "{properties}");
}

/// One text under the key `k`, in YAML.
fn check_yaml(value: &str, expected: &str) {
    let sources = [source("test", vec![("k", text(value))])];
    let yaml = merged(Merged::Yaml, &sources, false, true, &Limits::default()).expect("yaml");
    assert_eq!(String::from_utf8_lossy(&yaml), format!("k:{expected}\n"), "{value:?}");
}

#[test]
fn an_environment_has_its_members_in_springs_order() {
    let query = Query {
        name: "foo".into(),
        applications: vec!["foo".into()],
        profiles_text: "dev,cloud".into(),
        profiles: vec!["dev".into(), "cloud".into()],
        label: None,
    };
    let mut bare = source("uri/a.yml", vec![("secret", text("x"))]);
    bare.properties = bare
        .properties
        .iter()
        .map(|p| Property {
            origin: None,
            ..p.clone()
        })
        .collect();
    let sources = [
        Source {
            name: "overrides".into(),
            ..bare.clone()
        },
        source(
            "uri/a.yml",
            vec![
                ("d", Value::Double(1e10)),
                ("i", Value::Double(f64::INFINITY)),
                ("q\"", text("\u{1}/é")),
            ],
        ),
        bare,
    ];
    let mut envelope = Envelope {
        query: &query,
        version: Some("abc"),
        state: Some(""),
        origins: false,
    };
    assert_eq!(
        &*environment(&envelope, &sources),
        concat!(
            r#"{"name":"foo","profiles":["dev,cloud"],"label":null,"version":"abc","state":"","propertySources":["#,
            r#"{"name":"overrides","source":{"secret":"x"}},"#,
            r#"{"name":"uri/a.yml","source":{"d":1.0E10,"i":"Infinity","q\"":"\u0001/é"}},"#,
            r#"{"name":"uri/a.yml","source":{"secret":"x"}}]}"#
        )
        .as_bytes()
    );
    envelope.origins = true;
    let with_origins = environment(&envelope, &sources);
    let with_origins = String::from_utf8_lossy(&with_origins);
    for part in [
        r#"{"secret":{"value":"x","origin":"Config server overrides"}}"#,
        r#""d":{"value":1.0E10,"origin":"1:2"}"#,
        r#"{"name":"uri/a.yml","source":{"secret":"x"}}"#,
    ] {
        assert!(with_origins.contains(part), "{part} in {with_origins}");
    }
}

#[test]
fn keys_nest_as_in_the_stock_server() {
    check_json("a.b=1\na.c=2\nb=3", r#"{"a":{"b":"1","c":"2"},"b":"3"}"#);
    check_json("x[0]=p\nx[2]=q\nz[01]=r", r#"{"x":["p",null,"q"],"z":[null,"r"]}"#);
    check_json(
        "w[0][0]=a\nw[0][2]=b\nl[1].k=c",
        r#"{"w":[["a",null,"b"]],"l":[null,{"k":"c"}]}"#,
    );
    check_json(
        "a.b[hello]=2\nm[/x]=4\n[top]=6\nk[a.b].c=5",
        r#"{"a":{"b[hello]":"2"},"m[/x]":"4","[top]":"6","k[a":{"b]":{"c":"5"}}}"#,
    );
    check_json("n[x][0]=q\nh[99999999999]=r", r#"{"n[x]":["q"],"h[99999999999]":"r"}"#);
    check_json("org=WARN\norg.x=INFO", r#"{"org":"WARN","org.x":"INFO"}"#);
    check_json("a.b.c=1\na.b=2\na=3\na.b.c.d=4", r#"{"a":"3","b":{"c":{"a.d":"4"}}}"#);
    check_json(
        "a.=1\nspring.profiles=x\nspring.profiles.active=y",
        r#"{"a":{"":"1"},"spring":{"profiles":{"active":"y"}}}"#,
    );
    check_json("", "{}");
}

#[test]
fn keys_that_cannot_nest_are_named() {
    check_json(".a=1", "the key `.a` cannot be nested: a part of it is empty");
    check_json("w..v=1", "the key `w..v` cannot be nested: a part of it is empty");
    check_json("[0]=1", "the key `[0]` cannot be nested: a part of it is empty");
    check_json(
        "m.k=1\nm[1]=2",
        "the key `m[1]` cannot be nested: it is a list and something else",
    );
    check_json(
        "s=1\ns[0]=2",
        "the key `s[0]` cannot be nested: it is a list and something else",
    );
    check_json(
        "a[0]=1\na[0].x=2",
        "the key `a[0].x` cannot be nested: it is a map and something else",
    );
    check_json(
        "a[0]x=1",
        "the key `a[0]x` cannot be nested: text stands after a bracket",
    );
    check_json("a[-1]=1", "the key `a[-1]` cannot be nested: a list takes numbers");
    check_json(
        "a[0][18446744073709551615]=1",
        "the key `a[0][18446744073709551615]` cannot be nested: a list takes numbers up to 2147483647",
    );
    check_json(
        "a[0][2000000000]=1",
        "the answer passes the limit `config-bus.limits.nodes`",
    );
    check_json(
        "a[2000000000]=1",
        "the answer passes the limit `config-bus.limits.nodes`",
    );
    check_json(
        &format!("{}=1", "a.".repeat(10_000)),
        "the answer passes the limit `config-bus.limits.depth`",
    );
}

#[test]
fn a_list_of_a_higher_source_replaces_the_whole_list() {
    let sources = [
        source("high", vec![("l[0]", text("h")), ("b", text("2"))]),
        source(
            "low",
            vec![
                ("l[0]", text("x")),
                ("l[1]", text("y")),
                ("a", text("1")),
                ("b", text("1")),
            ],
        ),
    ];
    assert_eq!(render(Merged::Properties, &sources), "a: 1\nb: 2\nl[0]: h");
}

#[test]
fn placeholders_resolve_to_texts_in_trees_and_in_place_in_properties() {
    let sources = [source(
        "test",
        vec![
            ("int", Value::Integer(42)),
            ("a", text("${int}")),
            ("b", text("x: ${ int } #")),
            ("c", text("${nope:yes}")),
        ],
    )];
    assert_eq!(
        render(Merged::Yaml, &sources),
        "int: 42\na: '42'\nb: 'x: 42 #'\nc: 'yes'\n"
    );
    assert_eq!(
        render(Merged::Json, &sources),
        r#"{"int":42,"a":"42","b":"x: 42 #","c":"yes"}"#
    );
    assert_eq!(
        render(Merged::Properties, &sources),
        "int: 42\na: 42\nb: x: ${ int } #\nc: yes"
    );
    let cycle = [source("test", vec![("a", text("${a}"))])];
    assert_eq!(render(Merged::Yaml, &cycle), "the placeholder `a` leads back to itself");
}

#[test]
fn texts_are_quoted_where_they_would_read_as_something_else() {
    for quoted in [
        "true",
        "yes",
        "null",
        "~",
        "12",
        "0123",
        "09",
        "1.5",
        "12:30:45",
        "2024-01-02",
        "2024-01-02T03:04:05Z",
        "",
        " lead",
        "trail ",
        "a: b",
        "a #b",
        "*x",
        "&x",
        "!x",
        "%x",
        "@x",
        "`x",
        "{x",
        "[x",
        "- x",
        "? x",
        "\"x\"",
        "<<",
        "a:",
        "#a",
        "-",
        "--- x",
        "...",
        ".inf",
        ".5",
        "1e3",
        "1_000",
        "0x1F",
        "{}",
        "[]",
        "|",
        ">",
        "|x",
        ">x",
    ] {
        check_yaml(quoted, &format!(" '{quoted}'"));
    }
    for plain in [
        "=",
        "a,b",
        "it's",
        "10%",
        "a|b",
        "y",
        "n",
        "0o17",
        "12:34:56:78",
        ":a",
        "a#",
        "a]b",
        "a, b",
        "http://x:80/y?z=1&b=2",
        "C:\\path",
        "${x}",
        "é日",
        "😀",
        "a\u{a0}b",
        "\u{feff}x",
    ] {
        check_yaml(plain, &format!(" {plain}"));
    }
    check_yaml("'x'", " '''x'''");
    check_yaml("a\tb", " \"a\\tb\"");
    check_yaml("a\rb", " \"a\\rb\"");
    check_yaml("a \nb", " \"a \\nb\"");
    check_yaml("x\u{7}y", " !!binary |-\n  eAd5");
}

#[test]
fn a_key_is_not_taken_for_a_byte_order_mark() {
    let sources = [source("test", vec![("a", text("1")), ("\u{feff}", text("2"))])];
    let limits = Limits::default();
    let yaml = merged(Merged::Yaml, &sources, false, true, &limits).expect("yaml");
    assert_eq!(String::from_utf8_lossy(&yaml), "a: '1'\n'\u{feff}': '2'\n");
    assert!(parse(Format::Yaml, &yaml, &limits).is_ok());
}

#[test]
fn texts_of_several_lines_are_literal() {
    check_yaml("a\nb", " |-\n  a\n  b");
    check_yaml("a\nb\n", " |\n  a\n  b");
    // The document's own last line break is the one that `check_yaml` expects.
    check_yaml("a\n\nb\n\n", " |+\n  a\n\n  b\n");
    check_yaml(" a\nb", " |2-\n   a\n  b");
    check_yaml("\n", " |2+\n");
    check_yaml("a\u{85}b", " |-\n  a\u{85}  b");
}

#[test]
fn long_texts_fold_after_eighty_columns() {
    let words = ["word"; 30].join(" ");
    check_yaml(
        &words,
        &format!(" {}\n  {}", ["word"; 16].join(" "), ["word"; 14].join(" ")),
    );
    let quoted = format!("{words}: ");
    check_yaml(
        &quoted,
        &format!(" '{}\n  {}: '", ["word"; 16].join(" "), ["word"; 14].join(" ")),
    );
    check_yaml(&"x".repeat(200), &format!(" {}", "x".repeat(200)));
}

#[test]
fn other_values_and_shapes() {
    let sources = [source(
        "test",
        vec![
            ("a", Value::Double(1e10)),
            ("b", Value::Double(f64::NAN)),
            ("c", Value::Double(f64::NEG_INFINITY)),
            ("d", Value::BigInteger("12345678901234567890".into())),
            ("e", Value::Bytes(b"hello"[..].into())),
            ("f.", text("x")),
            ("g[0][0]", Value::Bool(true)),
            ("g[1].k[0]", text("v")),
            (&"k".repeat(130), text("v")),
        ],
    )];
    let long = "k".repeat(130);
    assert_eq!(
        render(Merged::Yaml, &sources),
        format!(
            "a: 1.0E10\nb: .NaN\nc: -.inf\nd: 12345678901234567890\ne: !!binary |-\n  aGVsbG8=\nf:\n  ? ''\n  : x\n\
             ? {long}\n: v\ng:\n- - true\n- k:\n  - v\n"
        )
    );
}

#[test]
fn a_document_is_dumped_without_its_key() {
    let dump = |properties: Vec<(&str, Value)>| render(Merged::Yaml, &[source("test", properties)]);
    assert_eq!(dump(vec![("document", text("just text"))]), "just text\n");
    assert_eq!(dump(vec![("document", Value::Integer(5))]), "'5'\n");
    assert_eq!(
        dump(vec![("document[0]", text("a")), ("document[1]", text("b"))]),
        "- a\n- b\n"
    );
    assert_eq!(dump(vec![("document.a", Value::Integer(1))]), "!!str\na: 1\n");
    assert_eq!(
        dump(vec![("document", text("x")), ("other", text("y"))]),
        "document: x\nother: y\n"
    );
    assert_eq!(dump(vec![]), "{}\n");
}

fn any_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Integer),
        any::<f64>()
            .prop_filter("NaN is not itself", |number| !number.is_nan())
            .prop_map(Value::Double),
        "[ -~éü日\u{2028}\u{a0}😀]{0,120}".prop_map(|value| text(&value)),
        "[a-c \n:#'\"\\\\-]{0,40}".prop_map(|value| text(&value)),
        "(word |x: |- ){10,40}end".prop_map(|value| text(&value)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Flatten and nest undo each other, and what is written reads back as the same properties.
    #[test]
    fn yaml_reads_back_as_the_same_properties(
        values in proptest::collection::vec(any_value(), 1..12),
        shape in proptest::sample::select(vec!["k#", "m.k#", "a.b#.c", "l[#]", "m.l[#].x", "n[#][0]"]),
    ) {
        let keys: Vec<String> = (0..values.len()).map(|n| shape.replace('#', &n.to_string())).collect();
        let properties: Vec<_> = keys.iter().map(String::as_str).zip(values).collect();
        let sources = [source("test", properties.clone())];
        let yaml = merged(Merged::Yaml, &sources, false, false, &Limits::default()).expect("nests");
        let documents = parse(Format::Yaml, &yaml, &Limits::default());
        let documents = documents.map_err(|fault| TestCaseError::fail(format!("{fault}\n{}", String::from_utf8_lossy(&yaml))))?;
        let read: Vec<_> = documents[0].properties.iter().map(|p| (&*p.key, p.value.clone())).collect();
        prop_assert_eq!(read, properties, "{}", String::from_utf8_lossy(&yaml));
    }

    #[test]
    fn no_keys_make_rendering_panic(
        keys in proptest::collection::vec("[ab.\\[\\]01 é-]{0,10}", 0..10),
    ) {
        let sources = [source("test", keys.iter().map(|key| (key.as_str(), text("x"))).collect())];
        for form in [Merged::Yaml, Merged::Json, Merged::Properties] {
            let _ = merged(form, &sources, true, true, &Limits::default());
        }
    }
}
