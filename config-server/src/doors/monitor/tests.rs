use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use contract::Destination;
use http::{HeaderMap, HeaderName, HeaderValue};
use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::settings::encrypt::Secret;
use crate::settings::monitor::Provider;

/// One recorded call on the stock server.
struct Case {
    name: String,
    method: String,
    query: Option<String>,
    headers: HeaderMap,
    body: Vec<u8>,
    status: u64,
    answer: String,
    destinations: Vec<String>,
}

fn recorded() -> Vec<Case> {
    let text = include_str!("../../../tests/data/bus/monitor.json");
    let cases: Vec<Value> = serde_json::from_str(text).expect("the recorded calls");
    cases.iter().map(case).collect()
}

fn case(recorded: &Value) -> Case {
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let request = &recorded["request"];
    let headers = request["headers"].as_object().into_iter().flatten();
    let body = match &request["body"] {
        Value::Null => Vec::new(),
        Value::String(body) => body.clone().into_bytes(),
        body => body.to_string().into_bytes(),
    };
    Case {
        name: text(&recorded["name"]),
        method: text(&request["method"]),
        query: text(&request["path"])
            .split_once('?')
            .map(|(_, query)| query.to_owned()),
        headers: headers.map(|(name, value)| pair(name, &text(value))).collect(),
        body,
        status: recorded["status"].as_u64().expect("a status"),
        answer: text(&recorded["body"]),
        destinations: recorded["destinations"]
            .as_array()
            .expect("a list")
            .iter()
            .map(text)
            .collect(),
    }
}

fn pair(name: &str, value: &str) -> (HeaderName, HeaderValue) {
    let name = name.parse().expect("a header name");
    (name, value.parse().expect("a header value"))
}

fn call(case: &Case) -> Call<'_> {
    Call {
        headers: &case.headers,
        query: case.query.as_deref(),
        body: &case.body,
    }
}

#[test]
fn every_recorded_call_is_answered_as_the_stock_server_did() {
    let mut count = 0;
    for case in recorded().iter().filter(|case| case.method == "POST") {
        count += 1;
        let targets = targets(&call(case), &MonitorSettings::default());
        let name = &case.name;
        match targets {
            // Ours: the stock server has no reader for it.
            Ok(targets) if name == "azure-devops-git-push" => assert_eq!(targets, ["*"]),
            Ok(targets) => {
                let destinations: Vec<String> = targets
                    .iter()
                    .map(|target| Destination::normalised(Some(target)).to_string())
                    .collect();
                assert_eq!(destinations, case.destinations, "{name}");
                if case.status == 200 {
                    assert_eq!(serde_json::to_string(&targets).expect("texts"), case.answer, "{name}");
                } else {
                    assert_eq!(case.status, 406, "{name}");
                }
            }
            Err(error) => assert_eq!(u64::from(error.status().as_u16()), case.status, "{name}"),
        }
    }
    assert_eq!(count, 63);
}

#[test]
fn a_provider_that_is_switched_off_is_not_read() {
    let cases = recorded();
    let push = cases.iter().find(|case| case.name == "github-push").expect("a push");
    let mut settings = MonitorSettings::default();
    settings.disabled.insert(Provider::Github);
    assert_eq!(targets(&call(push), &settings).expect("JSON"), [""; 0]);
}

#[test]
fn callers_are_known_by_their_headers() {
    for (case, provider) in [
        ("github-push", Provider::Github),
        ("gitlab-push", Provider::Gitlab),
        ("bitbucket-cloud-push", Provider::Bitbucket),
        ("bitbucket-server-refs-changed", Provider::Bitbucket),
        ("gitee-push-old-header", Provider::Gitee),
        ("gitee-push-new-header-only", Provider::Gitee),
        ("gitea-push-all-headers", Provider::Gitea),
        ("gogs-push", Provider::Gogs),
        ("azure-devops-git-push", Provider::Azure),
        ("json-path", Provider::Generic),
        ("form-app", Provider::Generic),
    ] {
        let cases = recorded();
        let recorded = cases.iter().find(|recorded| recorded.name == case).expect(case);
        let told = call(recorded).read().expect("a call");
        assert_eq!(provider::caller(&told), provider, "{case}");
    }
}

fn guarded(provider: Provider) -> MonitorSettings {
    let mut settings = MonitorSettings::default();
    settings
        .secrets
        .insert(provider, Secret::new("It's a Secret to Everybody".into()));
    settings
}

fn admitted(provider: Provider, body: &[u8], headers: &[(&str, &str)]) -> bool {
    let headers: HeaderMap = headers.iter().map(|(name, value)| pair(name, value)).collect();
    let call = Call {
        headers: &headers,
        query: None,
        body,
    };
    let told = call.read().expect("JSON");
    secret::admit(&told, body, &guarded(provider)).is_ok()
}

#[test]
fn a_signature_proves_the_body() {
    let tag = signature(b"{}");
    let other = signature(b"[]");
    let prefixed = format!("sha256={tag}");
    for (provider, mark, header, value) in [
        (
            Provider::Github,
            "x-github-event",
            "x-hub-signature-256",
            prefixed.as_str(),
        ),
        (Provider::Gitea, "x-gitea-event", "x-gitea-signature", &tag),
        (Provider::Gogs, "x-gogs-event", "x-gogs-signature", &tag),
        (Provider::Bitbucket, "x-event-key", "x-hub-signature", &prefixed),
    ] {
        let event = (mark, "push");
        assert!(admitted(provider, b"{}", &[event, (header, value)]), "{header}");
        assert!(
            !admitted(provider, b"{ }", &[event, (header, value)]),
            "{header}: another body"
        );
        assert!(
            !admitted(provider, b"{}", &[event, (header, &other)]),
            "{header}: another tag"
        );
        assert!(
            !admitted(provider, b"{}", &[event, (header, "sha256=zz")]),
            "{header}: no tag"
        );
        assert!(!admitted(provider, b"{}", &[event]), "{header}: unsigned");
    }
}

#[test]
fn a_token_proves_the_caller() {
    let basic = format!("Basic {}", BASE64.encode("anybody:It's a Secret to Everybody"));
    let azure = br#"{"eventType":"git.push","publisherId":"tfs"}"#;
    let token = "It's a Secret to Everybody";
    let gitlab = ("x-gitlab-event", "Push Hook");
    assert!(admitted(Provider::Gitlab, b"{}", &[gitlab, ("x-gitlab-token", token)]));
    assert!(!admitted(
        Provider::Gitlab,
        b"{}",
        &[gitlab, ("x-gitlab-token", "guess")]
    ));
    assert!(admitted(Provider::Azure, azure, &[("authorization", &basic)]));
    assert!(!admitted(Provider::Azure, azure, &[("authorization", "Basic eDp5")]));
    assert!(admitted(Provider::Generic, b"{}", &[(secret::TOKEN, token)]));
    let gitee = ("x-gitee-event", "Push Hook");
    assert!(admitted(Provider::Gitee, b"{}", &[gitee, ("x-gitee-token", token)]));
    let body = br#"{"password":"It's a Secret to Everybody"}"#;
    assert!(admitted(Provider::Gitee, body, &[gitee]));
    assert!(!admitted(Provider::Gitee, b"{}", &[gitee]));
}

#[test]
fn gitee_may_sign_the_time_instead() {
    use aws_lc_rs::hmac;
    let key = hmac::Key::new(hmac::HMAC_SHA256, b"It's a Secret to Everybody");
    let tag = BASE64.encode(hmac::sign(&key, b"1576754827988\nIt's a Secret to Everybody"));
    let encoded = tag.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
    let gitee = ("x-gitee-event", "Push Hook");
    for tag in [&tag, &encoded] {
        let signed = [gitee, ("x-gitee-timestamp", "1576754827988"), ("x-gitee-token", tag)];
        assert!(admitted(Provider::Gitee, b"{}", &signed), "{tag}");
        let later = [gitee, ("x-gitee-timestamp", "1576754827989"), ("x-gitee-token", tag)];
        assert!(!admitted(Provider::Gitee, b"{}", &later), "{tag}");
    }
}

#[test]
fn with_one_secret_nobody_comes_in_as_somebody_else() {
    assert!(!admitted(Provider::Github, br#"{"path":"application.yml"}"#, &[]));
    assert!(!admitted(Provider::Github, b"{}", &[("x-gogs-event", "push")]));
}

fn signature(body: &[u8]) -> String {
    use aws_lc_rs::hmac;
    let key = hmac::Key::new(hmac::HMAC_SHA256, b"It's a Secret to Everybody");
    hex::encode(hmac::sign(&key, body))
}

proptest! {
    #[test]
    fn any_body_is_read_or_refused(body in proptest::collection::vec(any::<u8>(), 0..200), json in "[{}\\[\\]\":a-z, ]{0,60}") {
        let headers: HeaderMap = [pair("x-github-event", "push"), pair("x-event-key", "repo:push")].into_iter().collect();
        for body in [body.as_slice(), json.as_bytes()] {
            let call = Call { headers: &headers, query: None, body };
            let _ = targets(&call, &MonitorSettings::default());
        }
    }
}
