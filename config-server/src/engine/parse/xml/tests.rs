use super::*;

/// What a file holds, as `key=value` in order, or the position and text of its fault.
fn check(xml: &str, expected: &str) {
    let got = match parse(xml.as_bytes()) {
        Ok(documents) => {
            let lines = documents
                .iter()
                .flatten()
                .map(|property| format!("{}={}", property.key, property.value));
            lines.collect::<Vec<_>>().join("|")
        }
        Err(fault) => fault.to_string(),
    };
    assert_eq!(got, expected, "{xml}");
}

#[test]
fn entries_are_listed_in_the_order_of_javas_map() {
    let entry = |key| format!("<entry key='{key}'>{key}</entry>");
    let xml: String = ["a", "b.c", "d"].map(entry).concat();
    check(&format!("<properties>{xml}</properties>"), "a=a|d=d|b.c=b.c");
}

#[test]
fn references_and_cdata_are_text() {
    check(
        "<properties><comment>hi &amp; ho</comment><entry key='a&amp;b'> &lt;x&gt; &#x41;<![CDATA[<y>]]></entry></properties>",
        "a&b= <x> A<y>",
    );
}

#[test]
fn the_last_of_equal_keys_wins() {
    check(
        "<properties><entry key='a'>1</entry><entry key='a'>2</entry></properties>",
        "a=2",
    );
}

#[test]
fn entities_of_the_document_type_are_not_expanded() {
    check(
        "<!DOCTYPE properties [<!ENTITY x 'secret'>]><properties><entry key='a'>&x;</entry></properties>",
        "line 1, column 75: an unknown entity",
    );
}

#[test]
fn broken_files_say_where() {
    check(
        "<properties>\n<entry>1</entry></properties>",
        "line 2, column 8: an entry without a key",
    );
    check(
        "<properties>\n<other/></properties>",
        "line 2, column 9: an element that has no place here",
    );
    check(
        "<properties>text</properties>",
        "line 1, column 17: text outside an entry",
    );
    check("<properties>", "line 1, column 13: ends before `</properties>`");
}

#[test]
fn latin1_is_read_when_declared() {
    let mut xml = b"<?xml version='1.0' encoding='ISO-8859-1'?><properties><entry key='a'>".to_vec();
    xml.push(0xe9);
    xml.extend(b"</entry></properties>");
    let documents = parse(&xml).expect("well-formed");
    assert_eq!(documents[0][0].value, Value::Text("é".into()));
}
