//! `config-server compare`: the proof before a migration.

use config_server::compare::{CompareError, run};
use config_server::settings::Settings;
use config_server::settings::secret::Secret;
use tempfile::TempDir;

use super::harness::App;

async fn compared(app: &App, settings: Settings) -> (Result<String, CompareError>, bool, Vec<String>) {
    let kept = TempDir::new().unwrap();
    let mut said = Vec::new();
    let url = format!("http://{}", app.address);
    let report = run(&settings.kept_in(kept.path()), &url, &mut |line| {
        said.push(line.to_owned())
    })
    .await;
    let same = report.as_ref().is_ok_and(|report| report.is_same());
    (report.map(|report| report.to_string()), same, said)
}

#[tokio::test]
async fn two_servers_of_one_repository_answer_the_same() {
    let app = App::start().await;
    app.git.commit_file("orders-dev.yml", "a: 2\nb: ${a}\n").unwrap();
    app.git.branch("feature/x").unwrap();
    app.refresh().await;
    let (report, same, said) = compared(&app, Settings::for_testing(&app.repository())).await;
    assert!(same, "{report:?}");
    let labels: Vec<&str> = said.iter().map(|line| line.split(':').next().unwrap()).collect();
    assert_eq!(labels, ["no label", "label feature/x", "label main"]);
}

#[tokio::test]
async fn a_difference_is_named_with_its_request_and_its_place() {
    let app = App::start().await;
    let mut settings = Settings::for_testing(&app.repository());
    settings.serving.overrides = vec![("a".to_owned(), Secret::new("other".to_owned()))];
    let (report, same, _) = compared(&app, settings).await;
    let report = report.unwrap();
    assert!(!same);
    assert!(report.contains("GET /orders/default"), "{report}");
    assert!(report.contains("/propertySources/0/name"), "{report}");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_an_error() {
    let app = App::start().await;
    let settings = Settings::for_testing(&app.repository());
    let kept = TempDir::new().unwrap();
    let error = run(&settings.kept_in(kept.path()), "http://127.0.0.1:1", &mut |_| {}).await;
    assert!(matches!(error, Err(CompareError::Unreachable(_))), "{error:?}");
}
