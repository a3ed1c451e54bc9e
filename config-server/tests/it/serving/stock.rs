//! The settings file of a stock server, as it is: the program starts with it and answers by it.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};

use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;
use test_support::GitFixture;

use super::harness::DEADLINE;

const APPLICATION: &str = include_str!("../../data/stock/application.yml");

/// `mysecret`, as the stock server encrypts it with the key `foo`.
const CIPHER: &str = "5f317291da5e947dbadc4aca96d9dfead63f35d83c1e5357752e5bc77ab52abe";

/// The program, in a directory of its own that holds nothing but the file.
struct Program {
    process: Child,
    address: String,
    directory: TempDir,
}

impl Program {
    fn start(environment: &[(&str, &str)]) -> Self {
        let directory = TempDir::new().unwrap();
        fs::write(directory.path().join("application.yml"), APPLICATION).unwrap();
        let mut process = Command::new(env!("CARGO_BIN_EXE_config-server"))
            .args(["--server.address=127.0.0.1", "--server.port=0"])
            .current_dir(directory.path())
            .env_clear()
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = lines(&mut process);
        let mut said = Vec::new();
        let address = loop {
            let Ok(line) = lines.recv_timeout(DEADLINE) else {
                panic!("it does not serve: {said:#?}");
            };
            if let Some((_, rest)) = line.split_once("serving address=") {
                break rest.split(' ').next().unwrap().to_owned();
            }
            said.push(line);
        };
        Self {
            process,
            address,
            directory,
        }
    }

    async fn get(&self, path: &str) -> (StatusCode, String) {
        let client = Client::builder().no_proxy().timeout(DEADLINE).build().unwrap();
        let request = client.get(format!("http://{}{path}", self.address));
        let response = request.basic_auth("reader", Some("let-me-read")).send().await.unwrap();
        (response.status(), response.text().await.unwrap())
    }

    async fn sources(&self, path: &str) -> Value {
        let (status, body) = self.get(path).await;
        assert_eq!(status, StatusCode::OK, "{path}: {body}");
        serde_json::from_str::<Value>(&body).unwrap()["propertySources"].take()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What the program says, to its end.
fn lines(process: &mut Child) -> Receiver<String> {
    let (said, lines) = channel();
    let output = BufReader::new(process.stderr.take().unwrap());
    std::thread::spawn(move || {
        for line in output.lines().map_while(Result::ok) {
            let _ = said.send(line);
        }
    });
    lines
}

fn repository(file: &str, content: &str) -> GitFixture {
    let git = GitFixture::new().unwrap();
    git.commit_file(file, content).unwrap();
    git
}

fn value<'s>(sources: &'s Value, place: usize, key: &str) -> &'s Value {
    &sources[place]["source"][key]
}

#[tokio::test]
async fn the_settings_file_of_a_stock_server_starts_this_one_unchanged() {
    let main = repository(
        "shared/orders.yml",
        &format!("from: git\nsecret: '{{cipher}}{CIPHER}'\n"),
    );
    let team = repository("team-a.yml", "from: team\n");
    let native = TempDir::new().unwrap();
    fs::write(native.path().join("orders.yml"), "from: native\n").unwrap();
    let program = Program::start(&[
        ("CONFIG_GIT_URI", &main.uri()),
        ("TEAM_GIT_URI", &team.uri()),
        ("CONFIG_DIRECTORY", native.path().to_str().unwrap()),
        ("ENCRYPT_KEY", "foo"),
    ]);

    let orders = program.sources("/orders/dev").await;
    assert_eq!(
        orders[0],
        json!({ "name": "overrides", "source": { "company": "acme" } })
    );
    assert_eq!(value(&orders, 1, "from"), "git");
    assert_eq!(value(&orders, 1, "secret"), "mysecret");
    assert_eq!(value(&orders, 2, "from"), "native");
    let team = program.sources("/team-a/dev").await;
    assert_eq!(value(&team, 1, "from"), "team");
    assert_eq!(program.get("/decrypt").await.0, StatusCode::METHOD_NOT_ALLOWED);

    let stranger = reqwest::get(format!("http://{}/orders/dev", program.address))
        .await
        .unwrap();
    assert_eq!(stranger.status(), StatusCode::UNAUTHORIZED);
    let (status, health) = program.get("/actuator/health").await;
    assert_eq!(status, StatusCode::OK, "{health}");
    assert!(Path::new(program.directory.path()).join("config-bus-data").is_dir());
}
