//! The engine against the recorded answers of the stock server: path grammar, vetoes, search order,
//! names and values, straight from trees, without HTTP.

mod recorded;
mod repository;

use config_server::api::path::{Asked, Route, parse};
use config_server::engine::document::Limits;
use config_server::engine::query::{Query, Rules};
use config_server::engine::resolve::{find_file, resolve};

use recorded::{Answer, Case, Suite, Verdict};
use repository::Repository;

/// What the engine makes of one request.
fn answer(repository: &Repository, case: &Case) -> Answer {
    let (path, query) = case.path.split_once('?').unwrap_or((&case.path, ""));
    let asked = Asked {
        default_label: query.split('&').any(|item| item.starts_with("useDefaultLabel")),
        post: false,
    };
    match parse(path, asked) {
        Route::Environment { name, profiles, label } => {
            match Query::new(&name, &profiles, label.as_deref(), &Rules::default()) {
                Ok(query) => environment(repository, &query, case.origins),
                Err(_) => Answer::Status(400),
            }
        }
        Route::File {
            name,
            profiles,
            label,
            path,
        } => {
            let query = Query::new(&name, &profiles, label.as_deref(), &Rules::default());
            match (query, Query::file_path(&path)) {
                (Ok(query), Ok(path)) => {
                    let found = repository.at(query.label.as_deref()).and_then(|(label, tree)| {
                        find_file(&tree, &repository.layout, &label, &query, &path, &Limits::default()).ok()?
                    });
                    found.map_or(Answer::Status(404), |found| Answer::File(found.blob.bytes.clone()))
                }
                _ => Answer::Status(400),
            }
        }
        Route::BadRequest => Answer::Status(400),
        Route::NotFound => Answer::Status(404),
        Route::Merged { .. } | Route::Crypto(_) => Answer::Elsewhere,
    }
}

fn environment(repository: &Repository, query: &Query, origins: bool) -> Answer {
    let labels = repository.labels(query.label.as_deref());
    let mut sources = Vec::new();
    for label in labels.iter().rev() {
        let Some((label, tree)) = repository.at(label.as_deref()) else {
            return Answer::Status(404);
        };
        match resolve(&tree, &repository.layout, &label, query, &Limits::default()) {
            Ok(found) => sources.extend(found),
            Err(broken) => return Answer::Broken(broken.to_string()),
        }
    }
    Answer::environment(query, &sources, origins)
}

/// Every case of the suites that the engine answers by itself: so many of them.
#[track_caller]
fn agree(suites: &[&str], cases: usize) {
    let mut equal = 0;
    let mut differences = Vec::new();
    for suite in suites.iter().map(|name| Suite::load(name)) {
        let repository = Repository::open(&suite);
        for case in &suite.cases {
            match case.verdict(&answer(&repository, case)) {
                Verdict::Equal => equal += 1,
                Verdict::NotCompared => {}
                Verdict::Different(difference) => {
                    differences.push(format!("{}/{} {}: {difference}", suite.name, case.id, case.path))
                }
            }
        }
    }
    assert!(
        differences.is_empty(),
        "{equal} agree, but:\n{}",
        differences.join("\n")
    );
    assert_eq!(equal, cases, "cases that were compared");
}

#[test]
fn routes_and_vetoes_are_as_recorded() {
    agree(&["basics", "hostile", "labels"], 96);
}

#[test]
fn files_are_found_in_the_recorded_order() {
    agree(&["naming", "documents", "imports"], 320);
}

#[test]
fn search_paths_lead_where_they_were_recorded_to() {
    let suites: Vec<String> = (1..=15).map(|number| format!("searchpaths-{number:02}")).collect();
    agree(&suites.iter().map(String::as_str).collect::<Vec<_>>(), 161);
}

#[test]
fn plain_files_and_links_are_found_as_recorded() {
    agree(&["files", "files-searchpaths", "symlinks", "symlinks-dir"], 65);
}

#[test]
fn native_directories_are_read_as_recorded() {
    agree(
        &["native", "native-default-label", "native-nolabel", "native-several"],
        31,
    );
}

#[test]
fn public_repositories_are_read_as_recorded() {
    agree(&["public-event-sourcing", "public-mosip", "public-petclinic"], 105);
}
