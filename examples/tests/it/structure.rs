//! The invariants of ARCHITECTURE.md that a compiler does not check.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// Which members of the workspace a member may name in its `[dependencies]`.
const ARROWS: [(&str, &[&str]); 7] = [
    ("contract", &[]),
    ("bus", &["contract"]),
    ("config-server", &["contract", "bus"]),
    ("bus-agent", &["contract", "bus"]),
    ("client-sdk", &["contract", "bus", "bus-agent"]),
    (
        "examples",
        &[
            "contract",
            "bus",
            "config-server",
            "bus-agent",
            "client-sdk",
            "test-support",
        ],
    ),
    ("test-support", &[]),
];

/// Crates with one door into the workspace.
const DOORS: [(&str, &[&str]); 5] = [
    ("git2", &["config-server"]),
    ("rusqlite", &["config-server"]),
    ("lapin", &["bus"]),
    ("axum", &["config-server", "bus-agent", "examples"]),
    ("unsafe-libyaml", &["config-server"]),
];

/// What the pure core never names: time, tasks, disk, network, git, HTTP.
const IMPURE: [&str; 12] = [
    "tokio::",
    "git2::",
    "axum::",
    "hyper::",
    "reqwest::",
    "http::",
    "rusqlite::",
    "std::fs",
    "std::net",
    "std::time::Instant",
    "std::time::SystemTime",
    "async fn",
];

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("a parent")
        .to_path_buf()
}

fn metadata() -> Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(workspace())
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// Package name to the names in its `[dependencies]` (not those of tests and benches).
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    metadata()["packages"]
        .as_array()
        .expect("packages")
        .iter()
        .map(|package| {
            let normal = package["dependencies"].as_array().expect("dependencies").iter();
            let names = normal.filter(|d| d["kind"] != "dev").map(|d| text(&d["name"]));
            (text(&package["name"]), names.collect())
        })
        .collect()
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder)
        .expect("a folder")
        .map(|e| e.expect("an entry").path());
    entries
        .flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] })
        .filter(|path| path.extension().is_some_and(|e| e == "rs"))
        .collect()
}

#[test]
fn arrows_between_the_crates_go_one_way() {
    let dependencies = dependencies();
    let members: BTreeSet<&str> = ARROWS.iter().map(|(name, _)| *name).collect();
    assert_eq!(members, dependencies.keys().map(String::as_str).collect());
    for (member, allowed) in ARROWS {
        let named = dependencies[member].iter().map(String::as_str);
        let stray: Vec<&str> = named.filter(|d| members.contains(d) && !allowed.contains(d)).collect();
        assert!(stray.is_empty(), "{member} must not depend on {stray:?}");
    }
}

#[test]
fn git_amqp_sqlite_and_http_each_have_one_door() {
    for (member, named) in dependencies() {
        for (external, doors) in DOORS {
            let allowed = doors.contains(&member.as_str()) || !named.contains(external);
            assert!(allowed, "{member} must not depend on {external}");
        }
    }
}

#[test]
fn the_engine_names_no_clock_task_disk_network_git_or_http() {
    let engine = sources(&workspace().join("config-server/src/engine"));
    for path in engine.into_iter().filter(|path| !path.ends_with("tests.rs")) {
        let text = std::fs::read_to_string(&path).expect("a source file");
        for line in text.lines().filter(|line| !line.trim_start().starts_with("//")) {
            let named = IMPURE.iter().find(|word| line.contains(*word));
            assert!(named.is_none(), "{}: {}", path.display(), line.trim());
        }
    }
}

#[test]
fn the_contract_does_no_io() {
    for path in sources(&workspace().join("contract/src")) {
        let text = std::fs::read_to_string(&path).expect("a source file");
        for word in ["std::fs", "std::net", "std::env", "std::time::SystemTime", "tokio"] {
            assert!(!text.contains(word), "{} names {word}", path.display());
        }
    }
}

#[test]
fn every_external_version_is_written_once_in_the_workspace() {
    for member in ARROWS.map(|(name, _)| name) {
        let manifest = std::fs::read_to_string(workspace().join(member).join("Cargo.toml")).expect("a manifest");
        let stray = manifest.lines().find(|line| line.contains("version = \""));
        assert!(stray.is_none(), "{member}: {stray:?}");
    }
}

/// The words in backticks of one column (counted from 1) of a page's first table.
fn column(page: &str, number: usize) -> Vec<&str> {
    let lines = page.lines().skip_while(|line| !line.starts_with("| --- "));
    let rows = lines.skip(1).take_while(|line| line.starts_with("| "));
    let cells = rows.filter_map(|row| row.split(" | ").nth(number - 1));
    cells.flat_map(|cell| cell.split('`').skip(1).step_by(2)).collect()
}

#[test]
fn the_page_on_what_is_away_names_metrics_health_and_tests_that_there_are() {
    let read = |path: &str| std::fs::read_to_string(workspace().join(path)).expect("a file of the project");
    let page = read("docs/degraded.md");
    let folders = [
        "bus-agent",
        "config-server/src",
        "config-server/tests",
        "examples/tests",
    ];
    let files = folders.iter().flat_map(|folder| sources(&workspace().join(folder)));
    let code: String = files
        .map(|path| std::fs::read_to_string(path).expect("a source file"))
        .collect();
    let (metrics, admin) = (read("docs/metrics.md"), read("bus-agent/src/sidecar/admin.rs"));
    for metric in column(&page, 4) {
        let known = metrics.contains(&format!("`{metric}`")) || admin.contains(&format!("\"{metric}\""));
        assert!(known, "no metric is called {metric}");
    }
    for member in column(&page, 5) {
        assert!(code.contains(&format!("\"{member}\":")), "health has no {member}");
    }
    let tests = column(&page, 7);
    assert!(tests.len() > 9, "{tests:?}");
    for test in tests {
        assert!(code.contains(&format!("fn {test}(")), "there is no test {test}");
    }
}
