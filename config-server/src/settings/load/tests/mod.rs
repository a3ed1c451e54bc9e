mod binding;
mod faults;
mod files;

use std::path::{Path, PathBuf};

use super::*;
use crate::settings::backend::{Backend, GitSettings};

const URI: &str = "--spring.cloud.config.server.git.uri=https://git.example/config.git";

/// Settings of a test: arguments, environment, files.
#[derive(Debug, Default)]
struct Given {
    arguments: Vec<String>,
    environment: BTreeMap<String, String>,
    files: BTreeMap<PathBuf, Vec<u8>>,
}

impl Given {
    fn arguments(list: &[&str]) -> Self {
        Self {
            arguments: list.iter().map(|&argument| argument.to_owned()).collect(),
            ..Self::default()
        }
    }

    fn argument(mut self, argument: &str) -> Self {
        self.arguments.push(argument.into());
        self
    }

    fn file(mut self, path: &str, content: impl Into<Vec<u8>>) -> Self {
        self.files.insert(path.into(), content.into());
        self
    }

    /// The key stores of the recorded suites, in `directory`.
    fn key_stores(self, directory: &str) -> Self {
        let read = |name: &str| {
            let path = format!("{}/tests/data/conformance/keys/{name}", env!("CARGO_MANIFEST_DIR"));
            std::fs::read(path).expect("a key store")
        };
        self.file(&format!("{directory}/server.jks"), read("server.jks"))
            .file(&format!("{directory}/server.p12"), read("server.p12"))
    }

    fn variable(mut self, name: &str, value: &str) -> Self {
        self.environment.insert(name.into(), value.into());
        self
    }

    fn examine(&self) -> Examined {
        examine(&Sources {
            arguments: &self.arguments,
            environment: &self.environment,
            files: &self.files,
        })
    }

    fn settings(&self) -> Settings {
        self.examine().settings.unwrap_or_else(|errors| panic!("{errors}"))
    }

    fn faults(&self) -> String {
        self.examine().settings.expect_err("faults").to_string()
    }

    fn git(&self) -> GitSettings {
        git(self.settings().backend)
    }
}

fn git(backend: Backend) -> GitSettings {
    match backend {
        Backend::Git(git) => git,
        other => panic!("not one git repository: {other:?}"),
    }
}

impl Files for BTreeMap<PathBuf, Vec<u8>> {
    fn list(&self, directory: &Path) -> Vec<String> {
        let plain = |path: &Path| path.components().collect::<PathBuf>();
        let wanted = plain(directory.strip_prefix("./").unwrap_or(directory));
        let inside = |path: &PathBuf| path.parent().is_some_and(|parent| plain(parent) == wanted);
        let names = self
            .keys()
            .filter(|path| inside(path))
            .filter_map(|path| path.file_name());
        names.filter_map(|name| name.to_str().map(str::to_owned)).collect()
    }

    fn read(&self, path: &Path) -> std::io::Result<Option<Vec<u8>>> {
        Ok(self.get(path.strip_prefix("./").unwrap_or(path)).cloned())
    }
}
