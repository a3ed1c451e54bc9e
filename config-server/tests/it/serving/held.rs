//! Promise 7: a commit that cannot be read is held back from those who would read it.

use config_server::settings::serving::Gate;
use reqwest::StatusCode;

use super::harness::{App, gated};

const BROKEN: &str = "a: 2\n\tb: tab\n";

/// The commit before, and the one that breaks `orders.yml` and changes `inventory.yml`.
async fn broken(gate: Gate) -> (App, String, String) {
    let app = App::start_with(|settings| gated(settings, gate)).await;
    app.git.commit_file("inventory.yml", "i: 1\n").unwrap();
    let good = app.git.head().unwrap();
    app.refresh().await;
    assert_eq!(app.get("/orders/dev").await.header("x-config-version"), good);
    app.git.write_file("orders.yml", BROKEN).unwrap();
    let bad = app.git.commit_file("inventory.yml", "i: 2\n").unwrap();
    app.refresh().await;
    (app, good, bad)
}

#[tokio::test]
async fn who_reads_the_broken_file_keeps_the_last_good_commit_and_others_move_on() {
    let (app, good, bad) = broken(Gate::Application).await;
    for path in ["/orders/dev", "/orders-dev.yml"] {
        let held = app.get(path).await;
        assert_eq!(held.status, StatusCode::OK, "{}", held.body);
        assert_eq!(held.header("x-config-version"), good);
        assert_eq!(held.header("x-config-held"), bad);
    }
    let environment = app.get("/orders/dev").await;
    assert!(
        environment.body.contains(&format!("\"version\":\"{good}\"")),
        "{}",
        environment.body
    );
    let other = app.get("/inventory/dev").await;
    assert_eq!(other.header("x-config-version"), bad);
    assert!(
        !other.has("x-config-held") && other.body.contains("\"i\":2"),
        "{other:?}"
    );
    let mended = app.git.commit_file("orders.yml", "a: 3\n").unwrap();
    app.refresh().await;
    let moved_on = app.get("/orders/dev").await;
    assert_eq!(moved_on.header("x-config-version"), mended);
    assert!(!moved_on.has("x-config-held"));
}

#[tokio::test]
async fn what_only_shows_when_an_application_asks_is_held_back_like_a_file_that_does_not_parse() {
    let app = App::start_with(|settings| gated(settings, Gate::Application)).await;
    let faults = [
        ("orders-dev.yml", "spring.profiles.include: x\n"),
        (
            "orders.yml",
            "spring.config.activate.on-profile: x\nspring.profiles.include: y\n",
        ),
        ("orders.yml", "k: ${k}\n---\nspring.config.activate.on-profile: ${k}\n"),
    ];
    for (path, fault) in faults {
        app.git.write_file("orders-dev.yml", "d: 1\n").unwrap();
        app.git
            .write_file("orders.yml", format!("a: '{}'\n", path.len() + fault.len()))
            .unwrap();
        let good = app.git.commit("good").unwrap();
        app.refresh().await;
        assert_eq!(app.get("/orders/dev").await.header("x-config-version"), good);
        app.git.commit_file(path, fault).unwrap();
        app.refresh().await;
        let later = app.git.commit_file("inventory.yml", fault.len().to_string()).unwrap();
        app.refresh().await;
        let held = app.get("/orders/dev").await;
        assert_eq!(held.status, StatusCode::OK, "{fault}: {}", held.body);
        assert_eq!(
            (held.header("x-config-version"), held.header("x-config-held")),
            (&*good, &*later),
            "{fault}"
        );
        assert_eq!(app.get("/inventory/dev").await.header("x-config-version"), later);
    }
}

#[tokio::test]
async fn an_answer_that_is_held_names_the_move_it_was_held_at() {
    let (app, ..) = broken(Gate::Application).await;
    let (held, other) = (app.get("/orders/dev").await, app.get("/inventory/dev").await);
    assert_eq!(held.header("x-config-move"), other.header("x-config-move"));
}

#[tokio::test]
async fn a_text_comes_from_the_commit_that_its_placeholders_are_filled_from() {
    let app = App::start_with(|settings| gated(settings, Gate::Application)).await;
    let good = app.git.head().unwrap();
    app.refresh().await;
    app.git.write_file("notes.txt", "now a is ${a}\n").unwrap();
    app.git.write_file("plain.txt", "as it is\n").unwrap();
    let bad = app.git.commit_file("orders.yml", BROKEN).unwrap();
    app.refresh().await;
    let held = app.get("/orders/dev/main/notes.txt").await;
    assert_eq!((held.status, held.body.as_str()), (StatusCode::OK, "a is 1\n"));
    assert_eq!(
        (held.header("x-config-version"), held.header("x-config-held")),
        (&*good, &*bad)
    );
    let plain = app.get("/orders/dev/main/plain.txt").await;
    assert_eq!(
        (plain.body.as_str(), plain.header("x-config-version")),
        ("as it is\n", &*bad)
    );
    assert!(!plain.has("x-config-held"));
}

#[tokio::test]
async fn a_commit_held_back_from_everybody_is_so_with_its_files() {
    let app = App::start_with(|settings| gated(settings, Gate::Commit)).await;
    let good = app.git.head().unwrap();
    app.refresh().await;
    app.git.write_file("notes.txt", "without\n").unwrap();
    let bad = app.git.commit_file("orders.yml", BROKEN).unwrap();
    app.refresh().await;
    let held = app.get("/orders/dev/main/notes.txt").await;
    assert_eq!(held.body, "a is 1\n");
    assert_eq!(
        (held.header("x-config-version"), held.header("x-config-held")),
        (&*good, &*bad)
    );
}

#[tokio::test]
async fn a_whole_commit_is_held_back_from_everybody_when_that_is_wanted() {
    let (app, good, bad) = broken(Gate::Commit).await;
    for path in ["/orders/dev", "/inventory/dev"] {
        let held = app.get(path).await;
        assert_eq!(
            (held.header("x-config-version"), held.header("x-config-held")),
            (&*good, &*bad)
        );
    }
}

#[tokio::test]
async fn without_a_gate_the_broken_file_is_an_error_that_names_the_place() {
    let (app, _, bad) = broken(Gate::Off).await;
    let got = app.get("/orders/dev").await;
    assert_eq!(got.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(got.body.contains("orders.yml: line 2"), "{}", got.body);
    assert_eq!(app.get("/inventory/dev").await.header("x-config-version"), bad);
}

#[tokio::test]
async fn a_text_without_placeholders_is_served_whatever_else_is_broken() {
    let (app, _, bad) = broken(Gate::Off).await;
    app.git.commit_file("plain.txt", "as it is\n").unwrap();
    app.refresh().await;
    let plain = app.get("/orders/dev/main/plain.txt").await;
    assert_eq!(
        (plain.status, plain.body.as_str()),
        (StatusCode::OK, "as it is\n"),
        "{bad}"
    );
    assert_eq!(
        app.get("/orders/dev/main/notes.txt").await.status,
        StatusCode::INTERNAL_SERVER_ERROR
    );
}
