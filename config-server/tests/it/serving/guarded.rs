//! Who may come in, what is exposed, and what no answer may hold.

use config_server::settings::encrypt::Secret;
use config_server::settings::http::User;
use config_server::settings::management::{Exposure, Show};
use reqwest::{Method, StatusCode};

use super::harness::{App, answer};

/// Every header an answer may have.
const ALLOWED: [&str; 20] = [
    "accept",
    "allow",
    "cache-control",
    "content-length",
    "content-type",
    "date",
    "etag",
    "last-modified",
    "link",
    "retry-after",
    "transfer-encoding",
    "vary",
    "www-authenticate",
    "x-config-held",
    "x-config-label",
    "x-config-move",
    "x-config-stale",
    "x-config-version",
    "x-request-id",
    "x-total-count",
];

async fn with_user() -> App {
    App::start_with(|settings| {
        settings.http.user = Some(User {
            name: "user".to_owned(),
            password: Secret::new("p@ss wörd".to_owned()),
        });
        settings.management.health_details = Show::WhenAuthorized;
    })
    .await
}

#[tokio::test]
async fn without_the_credentials_only_health_answers() {
    let app = with_user().await;
    for path in [
        "/orders/dev",
        "/orders-dev.yml",
        "/actuator/prometheus",
        "/bus/agents",
        "/bus/status",
        "/tasks",
        "/nothing",
    ] {
        let refused = app.get(path).await;
        assert_eq!(refused.status, StatusCode::UNAUTHORIZED, "{path}");
        assert!(refused.header("www-authenticate").starts_with("Basic realm="));
        let known = answer(app.request(Method::GET, path).basic_auth("user", Some("p@ss wörd"))).await;
        assert_ne!(known.status, StatusCode::UNAUTHORIZED, "{path}");
    }
    for path in ["/actuator/health", "/actuator/health/liveness", "/live", "/ready"] {
        assert_eq!(app.get(path).await.status, StatusCode::OK, "{path}");
    }
    let stranger = app.get("/actuator/health").await;
    assert!(!stranger.body.contains("configServer"), "{}", stranger.body);
    let user = app
        .request(Method::GET, "/actuator/health")
        .basic_auth("user", Some("p@ss wörd"));
    assert!(answer(user).await.body.contains("configServer"));
}

#[tokio::test]
async fn where_there_is_no_user_any_credentials_are_harmless() {
    let app = App::start().await;
    for value in ["Basic Og==", "Bearer x", "nonsense"] {
        assert_eq!(
            app.get_with("/orders/dev", "authorization", value).await.status,
            StatusCode::OK
        );
    }
}

#[tokio::test]
async fn an_endpoint_that_is_not_exposed_is_an_application_as_with_spring() {
    let app = App::start_with(|settings| {
        settings.management.exposure = Exposure {
            include: vec!["health".to_owned()],
            exclude: Vec::new(),
        };
    })
    .await;
    assert!(app.get("/actuator/health").await.body.starts_with("{\"status\":\"UP\""));
    let hidden = app.get("/actuator/prometheus").await;
    assert!(hidden.body.starts_with("{\"name\":\"actuator\""), "{}", hidden.body);
    let post = answer(app.request(Method::POST, "/actuator/busrefresh")).await;
    assert_eq!(post.status, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn no_answer_has_a_header_that_is_not_meant() {
    let app = App::start().await;
    for path in [
        "/orders/dev",
        "/orders/dev/main",
        "/orders-dev.yml",
        "/orders-dev.json",
        "/orders/dev/main/notes.txt",
        "/orders/dev/main/none.txt",
        "/orders/dev/none",
        "/",
        "/a/..",
        "/encrypt/status",
        "/key",
        "/actuator/health",
        "/actuator/info",
        "/actuator/prometheus",
        "/actuator/metrics",
        "/ready",
        "/bus/status",
        "/tasks",
        "/bus/agents",
        "/bus/refreshes",
        "/bus/refreshes/none",
    ] {
        let got = app.get(path).await;
        let unknown: Vec<_> = got
            .headers
            .keys()
            .filter(|name| !ALLOWED.contains(&name.as_str()))
            .collect();
        assert!(unknown.is_empty(), "{path}: {unknown:?}");
        for secret in [app.git.root().to_str().unwrap(), "/tmp/", ".cargo"] {
            assert!(!got.body.contains(secret), "{path}: {}", got.body);
        }
    }
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused() {
    let app = App::start_with(|settings| settings.http.body_limit = 100).await;
    let big = app
        .request(Method::POST, "/encrypt")
        .header("content-type", "text/plain")
        .body("x".repeat(200));
    assert_eq!(answer(big).await.status, StatusCode::PAYLOAD_TOO_LARGE);
}
