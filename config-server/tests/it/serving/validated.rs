//! Entity tags, versions, and answers that are not older than asked for.

use reqwest::{Method, StatusCode};

use super::harness::{App, answer};

#[tokio::test]
async fn an_answer_says_which_commit_label_and_move_it_is_of() {
    let app = App::start().await;
    let head = app.git.head().unwrap();
    let got = app.get("/orders/dev").await;
    assert_eq!(got.status, StatusCode::OK, "{}", got.body);
    assert_eq!(got.header("x-config-version"), head);
    assert_eq!(got.header("x-config-label"), "main");
    assert!(got.header("x-config-move").ends_with("-1"));
    assert!(!got.has("x-config-held") && !got.has("x-config-stale"));
    app.stop().await.unwrap();
}

#[tokio::test]
async fn an_unrelated_commit_is_still_not_modified_and_says_its_version() {
    let app = App::start().await;
    for path in [
        "/orders/dev",
        "/orders-dev.yml",
        "/orders-dev.json",
        "/orders-dev.properties",
        "/orders/dev/main/notes.txt",
    ] {
        let before = app.get(path).await;
        app.git.commit_file("inventory.yml", format!("for: {path}\n")).unwrap();
        app.refresh().await;
        let after = app.get_with(path, "if-none-match", before.header("etag")).await;
        assert_eq!(after.status, StatusCode::NOT_MODIFIED, "{path}");
        assert_eq!(after.header("x-config-version"), app.git.head().unwrap(), "{path}");
        assert_eq!(after.header("etag"), before.header("etag"), "{path}");
        assert_eq!(after.body, "");
    }
}

#[tokio::test]
async fn a_commit_that_changes_the_content_changes_the_tag() {
    let app = App::start().await;
    let before = app.get("/orders/dev").await;
    app.git.commit_file("orders.yml", "a: 2\n").unwrap();
    app.refresh().await;
    let after = app
        .get_with("/orders/dev", "if-none-match", before.header("etag"))
        .await;
    assert_eq!(after.status, StatusCode::OK);
    assert!(after.body.contains("\"a\":2"), "{}", after.body);
    let file = app.get("/orders/dev/main/notes.txt").await;
    assert_eq!(file.body, "a is 2\n");
}

#[tokio::test]
async fn at_least_fetches_what_the_server_has_not_seen() {
    let app = App::start().await;
    app.get("/orders/dev").await;
    let newer = app.git.commit_file("orders.yml", "a: 2\n").unwrap();
    let plain = app.get("/orders/dev").await;
    assert!(
        plain.body.contains("\"a\":1"),
        "a read does not wait for a fetch: {}",
        plain.body
    );
    let asked = app.get_with("/orders/dev", "x-config-at-least", &newer).await;
    assert_eq!(asked.header("x-config-version"), newer);
    assert!(asked.body.contains("\"a\":2"), "{}", asked.body);
}

#[tokio::test]
async fn a_commit_that_does_not_come_is_a_problem_and_never_something_older() {
    let app = App::start().await;
    let never = "f".repeat(40);
    let got = app.get_with("/orders/dev", "x-config-at-least", &never).await;
    assert_eq!(got.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(got.header("content-type"), "application/problem+json");
    assert!(got.header("retry-after").parse::<u64>().unwrap() > 0);
    assert!(got.body.contains("urn:config-bus:problem:behind"), "{}", got.body);
    let nonsense = app.get_with("/orders/dev", "x-config-at-least", "HEAD").await;
    assert_eq!(nonsense.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_head_has_the_headers_of_the_answer_and_no_body() {
    let app = App::start().await;
    let got = app.get("/orders/dev").await;
    let head = answer(app.request(Method::HEAD, "/orders/dev")).await;
    assert_eq!(head.status, StatusCode::OK);
    assert_eq!(head.body, "");
    assert_eq!(head.header("content-length"), got.body.len().to_string());
    assert_eq!(head.header("etag"), got.header("etag"));
    let options = answer(app.request(Method::OPTIONS, "/orders/dev")).await;
    assert_eq!(
        (options.status, options.header("allow")),
        (StatusCode::OK, "GET,HEAD,OPTIONS")
    );
    let post = answer(app.request(Method::POST, "/orders/dev")).await;
    assert_eq!(
        (post.status, post.header("allow")),
        (StatusCode::METHOD_NOT_ALLOWED, "GET")
    );
}
