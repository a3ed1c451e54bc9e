use std::fmt::Write as _;
use std::time::Duration;

use proptest::prelude::*;
use tokio::time::Instant;

use super::*;

/// What a file holds: one line per property as `key = value @line:column`, documents divided by
/// `---`; or its fault. Texts are quoted, so that types show.
fn read(yaml: &[u8], limits: &Limits) -> String {
    let documents = match parse(yaml, limits) {
        Ok(documents) => documents,
        Err(fault) => return fault.to_string(),
    };
    let mut out = String::new();
    for (index, document) in documents.iter().enumerate() {
        out.push_str(if index == 0 { "" } else { "---\n" });
        for Property { key, value, origin } in document {
            let at = origin.map_or_else(|| "-".to_owned(), |origin| origin.to_string());
            let value = match value {
                crate::engine::value::Value::Text(text) => format!("{text:?}"),
                other => other.to_string(),
            };
            let _ = writeln!(out, "{key} = {value} @{at}");
        }
    }
    out
}

fn check(yaml: &str, expected: &str) {
    let got = read(yaml.as_bytes(), &Limits::default());
    assert_eq!(got.trim_end(), expected.trim_end(), "{yaml}");
}

/// One plain scalar and its value; texts quoted.
fn check_scalar(scalar: &str, expected: &str) {
    check(&format!("a: {scalar}"), &format!("a = {expected} @1:4"));
}

#[test]
fn plain_scalars_are_typed_as_yaml_1_1() {
    for word in ["true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON"] {
        check_scalar(word, "true");
    }
    for word in ["false", "no", "NO", "off", "Off"] {
        check_scalar(word, "false");
    }
    for word in [
        "y",
        "n",
        "yEs",
        "tRue",
        "08",
        "09",
        "0o17",
        "1:60",
        "12:34:56:78",
        "0B11",
        "=",
        "nUll",
    ] {
        check_scalar(word, &format!("{word:?}"));
    }
    for (scalar, value) in [
        ("0", "0"),
        ("-0", "0"),
        ("+5", "5"),
        ("-7", "-7"),
        ("0777", "511"),
        ("010", "8"),
        ("01234", "668"),
        ("0xFF", "255"),
        ("0x1F", "31"),
        ("0x_1", "1"),
        ("0b1010", "10"),
        ("1_000", "1000"),
        ("1__", "1"),
        ("190:20:30", "685230"),
        ("12:30", "750"),
        ("-1:30", "-90"),
        ("9223372036854775807", "9223372036854775807"),
        ("9223372036854775808", "9223372036854775808"),
        ("-9223372036854775809", "-9223372036854775809"),
        ("0xFFFFFFFFFFFFFFFFFFFFFFFF", "79228162514264337593543950335"),
        ("1.0", "1.0"),
        ("1.10", "1.1"),
        ("1e3", "1000.0"),
        ("1E3", "1000.0"),
        ("1.0e+3", "1000.0"),
        (".5", "0.5"),
        ("-.5", "-0.5"),
        ("3.", "3.0"),
        ("1_000.5", "1000.5"),
        ("190:20:30.15", "685230.15"),
        ("1e400", "Infinity"),
        (".inf", "Infinity"),
        ("-.Inf", "-Infinity"),
        (".NaN", "NaN"),
        ("123456789.123456789", "1.2345678912345679E8"),
    ] {
        check_scalar(scalar, value);
    }
    for text in [
        "2024-01-31",
        "2024-01-31T10:00:00Z",
        "a b",
        "a#b",
        "1.2.3",
        "1e",
        "..",
        "+",
        "-x",
        "+.nan",
    ] {
        check_scalar(text, &format!("{text:?}"));
    }
}

#[test]
fn tags_decide_before_the_text() {
    check_scalar("!!str 12", "\"12\"");
    check_scalar("!!int '12'", "12");
    check_scalar("!!float 3", "3.0");
    check_scalar("!!bool 'yes'", "true");
    check_scalar("!!null ''", "\"\"");
    check_scalar("!!binary aGVs bG8=", "aGVsbG8=");
    check_scalar("! 12", "12");
    check_scalar("!!str ", "\"\"");
    check("a: !local x", "line 1, column 4: the tag `!local` means nothing here");
    check("a: !!int x", "line 1, column 4: not an integer");
    check("a: !!bool maybe", "line 1, column 4: not a boolean");
    check(
        "a: !!java.net.URL [x]",
        "line 1, column 4: the tag `tag:yaml.org,2002:java.net.URL` means nothing here",
    );
}

#[test]
fn keys_that_are_no_text_stand_in_brackets() {
    check(
        "m: {1: a, 1.5: b, true: c, null: d, '[/x]': e, /p/: f, 2024-01-01: g, [x, 1]: h, {k: v}: i}",
        "m[1] = \"a\" @1:8\nm[1.5] = \"b\" @1:16\nm[true] = \"c\" @1:25\nm[null] = \"d\" @1:34\nm[/x] = \"e\" @1:45\n\
         m./p/ = \"f\" @1:53\nm.2024-01-01 = \"g\" @1:68\nm[[x, 1]] = \"h\" @1:79\nm[{k=v}] = \"i\" @1:90",
    );
    check(
        "'': {a: 1}\n' ': {b: 2}\n'[x/y]': 3",
        "a = 1 @1:9\nb = 2 @2:10\n[x/y] = 3 @3:10",
    );
}

#[test]
fn collections_flatten_as_in_spring() {
    check(
        "a: {b: {c: 1}, 'd.e': 2}\nl: [x, {k: 1}, [y], null, {}, []]\ne: {}\nf: []",
        "a.b.c = 1 @1:12\na.d.e = 2 @1:23\nl[0] = \"x\" @2:5\nl[1].k = 1 @2:12\nl[2][0] = \"y\" @2:17\n\
         l[3] = \"\" @2:21\nl[5] = \"\" @2:31\nf = \"\" @4:4",
    );
    check(
        "s: !!set {p, 1}\no: !!omap [a: 1, b: 2]",
        "s[0] = \"p\" @-\ns[1] = 1 @-\no.a = 1 @2:15\no.b = 2 @2:21",
    );
    check("a.b: 1\na: {b: 2, c: 3}", "a.b = 2 @2:8\na.c = 3 @2:14");
}

#[test]
fn a_missing_value_stands_right_after_its_colon() {
    check("{g: , h}", "g = \"\" @1:4\nh = \"\" @1:8");
    check("{é:\n  , h: 1}", "é = \"\" @1:4\nh = 1 @2:8");
    check("[g:  , h]", "document[0].g = \"\" @1:4\ndocument[1] = \"h\" @1:8");
    check("a:   \nb:  # x\n- c: ", "a = \"\" @1:3\nb[0].c = \"\" @3:5");
}

#[test]
fn documents_that_are_no_mapping_stand_under_document() {
    check("just text", "document = \"just text\" @1:1");
    check("- a\n- b", "document[0] = \"a\" @1:3\ndocument[1] = \"b\" @2:3");
    check("5", "document = 5 @1:1");
    assert_eq!(
        read(b"--- null\n--- ''\n---\n---\na: 1", &Limits::default()),
        "---\n---\n---\na = 1 @5:4\n"
    );
}

#[test]
fn merges_keep_the_quirks_of_snakeyaml() {
    let base = "b: &b {x: 1, y: 2}\n";
    let expect = |yaml: &str, expected: &str| {
        check(
            &format!("{base}{yaml}"),
            &format!("b.x = 1 @1:11\nb.y = 2 @1:17\n{expected}"),
        );
    };
    expect("d:\n  <<: *b\n  y: 3", "d.x = 1 @1:11\nd.y = 3 @4:6");
    expect("d:\n  y: 5\n  <<: *b", "d.y = 5 @3:6\nd.x = 1 @1:11");
    expect(
        "d: {<<: [*b, {x: 9, z: 4}]}",
        "d.x = 9 @2:18\nd.y = 2 @1:17\nd.z = 4 @2:24",
    );
    expect("d: {x: 5, <<: {x: 1}}", "d.x = 1 @2:19");
    expect("d: {<<: {x: 1}, x: 5}", "d.x = 5 @2:20");
    check(
        "a: {<<: 1}",
        "line 1, column 9: `<<` takes a mapping or a list of mappings",
    );
    check("a: <<", "line 1, column 4: `<<` is no value");
    check("a: {'<<': 1}", "a.<< = 1 @1:11");
}

#[test]
fn an_alias_repeats_its_anchor() {
    check(
        "a: &x [1, &y z]\nb: *x\nc: *y",
        "a[0] = 1 @1:8\na[1] = \"z\" @1:11\nb[0] = 1 @1:8\nb[1] = \"z\" @1:11\nc = \"z\" @1:11",
    );
    check(
        "a: *missing",
        "line 1, column 4: the alias `*missing` has no anchor before it",
    );
    check(
        "a: &x\n  b: *x",
        "line 2, column 6: the alias `*x` stands inside its own anchor",
    );
}

#[test]
fn duplicate_keys_are_refused_with_both_lines() {
    check("a: 1\nb: 2\na: 3", "line 3, column 1: the key `a` is already on line 1");
    check(
        "a:\n  on: 1\n  true: 2",
        "line 3, column 3: the key `true` is already on line 2",
    );
    check(
        "1: a\n'1': b\n1.0: c",
        "[1] = \"a\" @1:4\n1 = \"b\" @2:6\n[1.0] = \"c\" @3:6",
    );
}

#[test]
fn broken_files_say_where() {
    check("a: [1, 2", "line 2, column 1: did not find expected ',' or ']'");
    check(
        "a: b: c",
        "line 1, column 5: mapping values are not allowed in this context",
    );
    check(
        "a:\n\tb: 1",
        "line 2, column 1: found character that cannot start any token",
    );
    check("a: @x", "line 1, column 4: found character that cannot start any token");
    assert_eq!(
        read(b"a: 1\nb: caf\xe9\n", &Limits::default()),
        "line 2, column 7: incomplete UTF-8 octet sequence"
    );
}

#[test]
fn byte_order_marks_choose_the_encoding() {
    let utf16: Vec<u8> = "\u{feff}a: é".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(read(&utf16, &Limits::default()), "a = \"é\" @1:4\n");
    let utf16: Vec<u8> = "\u{feff}a: é".encode_utf16().flat_map(u16::to_be_bytes).collect();
    assert_eq!(read(&utf16, &Limits::default()), "a = \"é\" @1:4\n");
    check("\u{feff}a: é", "a = \"é\" @1:4");
}

#[test]
fn hostile_files_are_refused_at_once() {
    let bomb = |levels: usize| {
        (1..levels).fold("a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned(), |yaml, level| {
            let alias = format!("*a{}", level - 1);
            yaml + &format!("a{level}: &a{level} [{}]\n", [alias.as_str(); 9].join(", "))
        })
    };
    let chain = |levels: usize| {
        let nest = |inner: &str| "[".repeat(150) + inner + &"]".repeat(150);
        (1..levels).fold(format!("a0: &a0 {}\n", nest("x")), |yaml, level| {
            yaml + &format!("a{level}: &a{level} {}\n", nest(&format!("*a{}", level - 1)))
        })
    };
    let pairs = |count: usize| (0..count).map(|n| format!("k{n}: 1,")).collect::<String>();
    let fat = format!("? {}\n: {{{}}}", "k".repeat(900_000), pairs(10_000));
    for (yaml, limit) in [
        ("[".repeat(100_000), Limits::DEPTH),
        ("{a: ".repeat(100_000), Limits::DEPTH),
        ("- ".repeat(100_000), Limits::DEPTH),
        (bomb(9), Limits::NODES),
        (format!("{}\n---\n", bomb(5)).repeat(100), Limits::NODES),
        (chain(3), Limits::DEPTH),
        (fat, Limits::EXPANSION),
        (
            format!(
                "base: &b {{{}}}\nm: {{<<: [{}]}}",
                pairs(1000),
                vec!["*b"; 1000].join(",")
            ),
            Limits::NODES,
        ),
    ] {
        let begin = Instant::now();
        let fault = parse(yaml.as_bytes(), &Limits::default()).expect_err("hostile");
        assert_eq!(fault.limit, Some(limit), "{fault}");
        assert!(
            begin.elapsed() < Duration::from_secs(5),
            "{limit} took {:?}",
            begin.elapsed()
        );
    }
}

#[test]
fn the_places_of_missing_values_are_found_in_one_pass() {
    check("{é: , b:\n, c: }", "é = \"\" @1:4\nb = \"\" @1:9\nc = \"\" @2:5");
    let count = 20_000;
    let yaml: String = (0..count).map(|n| format!("a{n}:\n,")).collect();
    let begin = Instant::now();
    let documents = parse(format!("{{{yaml}}}").as_bytes(), &Limits::default()).expect("a map");
    assert_eq!(documents[0].len(), count);
    assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
}

proptest! {
    #[test]
    fn no_bytes_make_the_parser_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = parse(&bytes, &Limits::default());
    }

    #[test]
    fn no_soup_of_yaml_makes_the_parser_panic(
        soup in proptest::collection::vec(
            proptest::sample::select(vec![
                "a", "b", ": ", "- ", "\n", "  ", "[", "]", "{", "}", ", ", "&x ", "*x", "<<", "? ", "!!set ", "!!omap ",
                "!!binary ", "|", ">", "'", "\"", "\\", "#", "---\n", "...\n", "~", "1", ".5", "\t", "%", "é",
            ]),
            0..40,
        )
    ) {
        let _ = parse(soup.concat().as_bytes(), &Limits::default());
    }
}
