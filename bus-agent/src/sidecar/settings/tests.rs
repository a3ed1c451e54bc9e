use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::*;
use crate::sidecar::format::Format;

fn raw(yaml: &str) -> RawSettings {
    RawSettings::from_yaml(yaml).expect("valid YAML")
}

fn resolved(raw: &RawSettings) -> Result<Settings, SettingsErrors> {
    let read = |path: &Path| match path.to_str() {
        Some("/ca.pem") => Ok(b"pem".to_vec()),
        _ => Err(io::Error::new(io::ErrorKind::NotFound, "not there")),
    };
    resolve(raw, read, [])
}

const LEAST: &str = "servers: [http://localhost:8888]\napplication: orders\nout: /etc/orders.yml\n";

#[test]
fn the_least_that_must_be_said_is_a_server_an_application_and_a_file() {
    let settings = resolved(&raw(LEAST)).expect("enough");
    let output = &settings.outputs[0];
    assert_eq!(output.file, PathBuf::from("/etc/orders.yml"));
    assert_eq!((output.format, output.mode), (Format::Yml, 0o600));
    assert_eq!(output.run_timeout, Duration::from_secs(30));
    assert!(!settings.once && !settings.fail_fast && settings.admin.is_none());
    assert_eq!(settings.follows.application.as_str(), "orders");
}

#[test]
fn every_fault_is_named_at_once_and_no_secret_is_repeated() {
    let said = "\
profiles: ['not a profile']
label: ../x
bus: http://me:s3cret@broker
username: me
token: s3cret
ca: /nowhere.pem
interval: soon
admin: everywhere
outputs: [{format: yml}, {file: /x, mode: 'rw'}]
";
    let error = resolved(&raw(said)).expect_err("faults").to_string();
    let keys: Vec<&str> = error
        .lines()
        .filter_map(|line| Some(line.split_once(": ")?.0))
        .collect();
    let expected = [
        "server",
        "bus",
        "token",
        "ca",
        "interval",
        "application",
        "profiles",
        "label",
        "outputs[0].file",
        "outputs[1].format",
        "outputs[1].mode",
        "admin",
    ];
    assert_eq!(keys, expected, "{error}");
    assert!(!error.contains("s3cret"), "{error}");
}

#[test]
fn what_is_said_nearer_wins() {
    let file = raw(&format!(
        "{LEAST}label: main\ninterval: 60s\nonce: true\nprofiles: [dev]\nshutdown-events: true\n"
    ));
    let flags = RawSettings {
        label: Some("other".to_owned()),
        once: Some(false),
        profiles: vec!["prod".to_owned()],
        ca: Some(PathBuf::from("/ca.pem")),
        ..RawSettings::default()
    };
    let merged = flags.over(file);
    assert_eq!(merged.shutdown_events, Some(true));
    let settings = resolved(&merged).expect("enough");
    assert_eq!(
        settings.follows.label.as_ref().map(|label| label.as_str()),
        Some("other")
    );
    assert_eq!(settings.follows.profile_names(), ["prod"]);
    assert!(!settings.once);
}

#[test]
fn a_file_may_list_further_outputs() {
    let said = format!(
        "{LEAST}outputs:\n- {{file: /a.json, mode: '0640', run: reload, run-timeout: 5s}}\n- {{file: /b, format: env}}\n"
    );
    let settings = resolved(&raw(&said)).expect("enough");
    let files: Vec<_> = settings
        .outputs
        .iter()
        .map(|output| (output.file.to_str(), output.format))
        .collect();
    assert_eq!(
        files,
        [
            (Some("/etc/orders.yml"), Format::Yml),
            (Some("/a.json"), Format::Json),
            (Some("/b"), Format::Env)
        ]
    );
    assert_eq!(settings.outputs[1].mode, 0o640);
    assert_eq!(settings.outputs[1].run.as_deref(), Some("reload"));
}

#[test]
fn an_unknown_key_of_the_file_is_named_with_its_place() {
    let error = RawSettings::from_yaml("application: x\naplication: y\n")
        .expect_err("unknown")
        .to_string();
    assert!(error.contains("aplication") && error.contains("line 2"), "{error}");
}

#[test]
fn a_value_of_the_wrong_kind_is_not_repeated() {
    let error = RawSettings::from_yaml("servers: http://me:hunter2@host\n").expect_err("no list");
    let told = error.to_string();
    assert!(
        told.contains("servers") && told.contains("expected a sequence"),
        "{told}"
    );
    assert!(!told.contains("hunter2"), "{told}");
}
