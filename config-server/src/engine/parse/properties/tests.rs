use proptest::prelude::*;

use super::*;

/// What a file holds: `key = "value" @line:column`, documents divided by `---`; or its fault.
fn check(bytes: impl AsRef<[u8]>, expected: &str) {
    let got = match parse(bytes.as_ref()) {
        Err(fault) => fault.to_string(),
        Ok(documents) => {
            let line = |p: &Property| {
                let origin = p.origin.expect("every property has one");
                format!("{} = {:?} @{origin}", p.key, p.value.to_string())
            };
            let lines = |document: &Vec<Property>| document.iter().map(line).collect::<Vec<_>>().join("\n");
            documents.iter().map(lines).collect::<Vec<_>>().join("\n---\n")
        }
    };
    assert_eq!(got, expected, "{}", String::from_utf8_lossy(bytes.as_ref()));
}

#[test]
fn keys_end_at_the_first_separator() {
    check(
        "a=1\nb:2\nc 3\nd = 4",
        "a = \"1\" @1:3\nb = \"2\" @2:3\nc = \"3\" @3:3\nd = \"4\" @4:5",
    );
    check("n==b\ng=x=y:z", "n = \"=b\" @1:3\ng = \"x=y:z\" @2:3");
    check(
        "o\\ p=1\ni\\:j=2\nx\\=y=3",
        "o p = \"1\" @1:5\ni:j = \"2\" @2:5\nx=y = \"3\" @3:5",
    );
    check("=empty key\n\n", "");
}

#[test]
fn values_keep_their_trailing_blanks_and_escapes() {
    check("a=  b  ", "a = \"b  \" @1:5");
    check("a=\\  b", "a = \"  b\" @1:3");
    check("a=\\t\\n\\q\\\\", "a = \"\\t\\nq\\\\\" @1:3");
    check("a=\\u00e9\\ud83d\\ude00", "a = \"é😀\" @1:3");
    check("a=\\ud83d", "a = \"\u{fffd}\" @1:3");
    check(b"a=caf\xe9", "a = \"café\" @1:3");
}

#[test]
fn lines_join_and_may_end_in_every_way() {
    check(
        "a=one\\\n  two\\\r\n\tthree\rb=2",
        "a = \"onetwothree\" @1:3\nb = \"2\" @4:3",
    );
    check("a=x\\\n\nb=2", "a = \"x\" @1:3\nb = \"2\" @3:3");
    check("a=end\\", "a = \"end\" @1:3");
    check("a\nb=\nc", "a = \"\" @2:0\nb = \"\" @3:0\nc = \"\" @4:2");
}

#[test]
fn comments_begin_a_line_even_when_escaped() {
    check("# a=1\n  ! b=2\nc=3 # d\n\\#e=4", "c = \"3 # d\" @3:3");
    check("a=1\\\n# b", "a = \"1# b\" @1:3");
}

#[test]
fn lists_in_one_line_expand() {
    check(
        "b[]=1, 2,3\\,4",
        "b[0] = \"1\" @1:5\nb[1] = \"2\" @1:8\nb[2] = \"3,4\" @1:10",
    );
    check("b[]=\nc[0]=x", "b[0] = \"\" @2:0\nc[0] = \"x\" @2:6");
}

#[test]
fn the_last_of_equal_keys_wins_in_the_place_of_the_first() {
    check("a=1\nb=2\na=3", "a = \"3\" @3:3\nb = \"2\" @2:3");
}

#[test]
fn dividers_make_documents() {
    check(
        "a=1\n#---\nb=2\n!---\nc=3",
        "a = \"1\" @1:3\n---\nb = \"2\" @3:3\n---\nc = \"3\" @5:3",
    );
    check("a=1\n#--- \nb=2", "a = \"1\" @1:3\n---\nb = \"2\" @3:9");
    check(
        "a=1\n #---\nb=2\n#----\nc=3",
        "a = \"1\" @1:3\nb = \"2\" @3:3\nc = \"3\" @5:3",
    );
    check("a=1\n# x\n#---\nb=2", "a = \"1\" @1:3\nb = \"2\" @4:3");
    check("a=1\n#---\n# x\nb=2", "a = \"1\" @1:3\nb = \"2\" @4:3");
}

#[test]
fn a_malformed_escape_is_refused_where_it_stands() {
    check(
        "a=1\nb=\\u00zz",
        "line 2, column 3: `\\u` without four hexadecimal digits",
    );
    check("b=\\u12", "line 2, column 3: `\\u` without four hexadecimal digits");
}

proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = parse(&bytes);
    }

    #[test]
    fn plain_pairs_read_back(pairs in proptest::collection::btree_map("[a-z.]{1,10}", "[a-z0-9]([ -~]{0,20}[a-z0-9])?", 0..10)) {
        let escape = |text: &str| text.replace('\\', "\\\\");
        let file: String = pairs.iter().map(|(key, value)| format!("{key}={}\n", escape(value))).collect();
        let read = parse(file.as_bytes()).expect("well-formed").remove(0);
        let read: Vec<_> = read.iter().map(|p| (p.key.to_string(), p.value.to_string())).collect();
        prop_assert_eq!(read, pairs.into_iter().collect::<Vec<_>>());
    }
}
