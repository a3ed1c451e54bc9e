//! Settings in files.

use std::path::PathBuf;

use super::{Given, URI, git};
use crate::settings::backend::Backend;
use crate::settings::bus::BusSettings;

const STOCK: &str = r#"
server:
  port: ${CONFIG_PORT:8889}
spring:
  application:
    name: config-center
  profiles:
    active: composite, dev
  security:
    user: { name: root, password: s3cret }
  cloud:
    config:
      server:
        accept-empty: false
        default-label: main
        prefix: /cfg
        composite:
        - type: git
          uri: https://git.example/{application}-config
          search-paths: ['{application}', common/*]
          cloneOnStart: true
          force-pull: true
          timeout: 4
          username: git
          password: '{cipher}000102030405060708090a0b0c0d0e0f92c516ebbdf9aecbb68f22247c57812d'
          repos:
            simple: https://git.example/simple
            special:
              pattern: [special*/dev*, '*special*/dev*']
              uri: https://git.example/special
        - type: native
          search-locations: file:///etc/config, file:/opt/config
        overrides:
          logging.level: '\${level}'
          nested: { list: [1, 2.50, true] }
        encrypt.enabled: true
        health:
          repositories:
            orders: { label: main }
            billing: { name: billing-service, profiles: 'dev,eu', label: release }
  rabbitmq: { host: mq, password: guest }
encrypt:
  key: foo
management:
  endpoints.web.exposure.include: "*"
  endpoint.health.show-details: always
logging.level.org.springframework.cloud: DEBUG
eureka:
  client: { enabled: false }
---
spring.config.activate.on-profile: dev
spring.cloud.bus.destination: dev-events
---
spring.config.activate.on-profile: prod
spring.cloud.bus.destination: prod-events
"#;

#[test]
fn the_application_yml_of_a_stock_server_starts_ours() {
    let examined = Given::default().file("application.yml", STOCK).examine();
    let settings = examined.settings.unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!(settings.http.port, 8889);
    assert_eq!(settings.http.prefix, "/cfg");
    assert!(!settings.serving.accept_empty);
    let Backend::Composite { members, .. } = settings.backend else {
        panic!("no composite: {:?}", settings.backend);
    };
    let [Backend::Git(git), Backend::Native(native)] = &members[..] else {
        panic!("{members:?}");
    };
    assert_eq!(&*git.uri, "https://git.example/{application}-config");
    assert_eq!(git.search_paths, ["{application}", "common/*"]);
    assert!(git.clone_on_start);
    assert_eq!(
        git.credentials.password.as_ref().map(|secret| secret.expose()),
        Some("mysecret")
    );
    assert_eq!(git.repos[1].patterns, ["special*/dev*", "*special*/dev*"]);
    assert_eq!(native.search_locations, ["file:///etc/config", "file:/opt/config"]);
    assert_eq!(native.default_label, "main");
    let overrides = settings
        .serving
        .overrides
        .iter()
        .map(|(key, text)| format!("{key}={}", text.expose()));
    assert_eq!(
        overrides.collect::<Vec<_>>(),
        [
            "logging.level=${level}",
            "nested.list[0]=1",
            "nested.list[1]=2.5",
            "nested.list[2]=true"
        ]
    );
    let BusSettings::Amqp(amqp) = settings.bus else {
        panic!("no RabbitMQ");
    };
    assert_eq!(amqp.spring_exchange.as_deref(), Some("dev-events"));
    let checks = settings.serving.health.repositories;
    assert_eq!(checks[1].name, "billing-service");
    assert_eq!(checks[1].label.as_deref(), Some("release"));
    assert!(
        settings
            .change
            .bus_id
            .as_str()
            .starts_with("config-center:composite,dev:8889:")
    );
    assert!(
        examined
            .printout
            .contains("spring.application.name = config-center   (application.yml:6:11)")
    );
    assert!(!examined.printout.contains("mysecret"));
}

#[test]
fn files_win_by_place_extension_and_profile() {
    let yml = |directory: &str| format!("config-bus.data-dir: {directory}\nspring.cloud.config.server.git.uri: u\n");
    let properties = |directory: &str| yml(directory).replace(": ", "=");
    let given = || {
        Given::default()
            .file("application.yml", yml("base"))
            .file("application-prod.yml", yml("prod"))
            .file("server.yml", yml("named"))
            .file("/etc/cs/application.yml", yml("located"))
            .file("/etc/cs/mine.properties", properties("single"))
            .file("/etc/cs/mine-prod.properties", properties("single of prod"))
    };
    let prod = |given: Given| given.variable("SPRING_PROFILES_ACTIVE", "prod");
    let single = "--spring.config.additional-location=optional:file:/etc/cs/mine.properties";
    for (given, directory) in [
        (given(), "base"),
        (given().file("application.properties", properties("b")), "b"),
        (given().file("config/application.yaml", yml("c")), "c"),
        (prod(given()), "prod"),
        (prod(given().file("config/application.yaml", yml("c"))), "prod"),
        (
            given().file("config/application.properties", "spring.profiles.active=prod"),
            "prod",
        ),
        (given().argument("--spring.config.location=file:/etc/cs/"), "located"),
        (given().argument("--spring.config.name=server"), "named"),
        (given().argument(single), "single"),
        (prod(given().argument(single)), "single of prod"),
    ] {
        let database = given.settings().change.database;
        assert_eq!(database, Some(PathBuf::from(directory).join("state.db")), "{given:?}");
    }
}

#[test]
fn a_file_may_import_its_neighbours() {
    let given = Given::default()
        .file(
            "application.yml",
            "spring.config.import: optional:secrets.yml\nconfig-bus.data-dir: a",
        )
        .file(
            "secrets.yml",
            "spring.cloud.config.server.git.uri: u\nconfig-bus.data-dir: b",
        );
    assert_eq!(given.settings().change.database, Some("b/state.db".into()));
}

#[test]
fn a_file_may_import_files_elsewhere_and_trees_of_values() {
    let imports = "spring.config.import: ['file:/etc/cs/common.yml', 'configtree:/run/secrets/', '../up.yml']";
    let given = Given::default()
        .file("config/application.yml", format!("{imports}\nconfig-bus.data-dir: a"))
        .file(
            "/etc/cs/common.yml",
            "config-bus.data-dir: b\nspring.config.import: more.properties",
        )
        .file("/etc/cs/more.properties", "spring.cloud.config.server.git.username=me")
        .file("/run/secrets/spring.cloud.config.server.git.password", "hush\n")
        .file("/run/secrets/..data/server.port", "1")
        .file("config/../up.yml", "spring.cloud.config.server.git.uri: u");
    let settings = given.settings();
    assert_eq!(settings.change.database, Some("b/state.db".into()));
    assert_eq!(settings.http.port, 8888);
    let git = git(settings.backend);
    assert_eq!((&*git.uri, git.credentials.username.as_deref()), ("u", Some("me")));
    assert_eq!(
        git.credentials.password.as_ref().map(|secret| secret.expose()),
        Some("hush")
    );
}

#[test]
fn an_import_that_is_not_there_is_told_unless_it_is_optional() {
    let with =
        |import: &str| Given::arguments(&[URI]).file("application.yml", format!("spring.config.import: {import}"));
    for (import, told) in [
        ("gone.yml", "there is no such file"),
        ("file:/gone.yml", "there is no such file"),
        ("configtree:/gone/", "there is no such file"),
        ("vault://secret", "is not supported"),
    ] {
        let faults = with(import).faults();
        assert!(
            faults.contains(told) && faults.contains("application.yml:1:23"),
            "{faults}"
        );
        assert!(
            with(&format!("optional:{import}")).examine().settings.is_ok(),
            "{import}"
        );
    }
}

#[test]
fn a_broken_file_is_told_with_its_place() {
    let faults = Given::arguments(&[URI])
        .file("config/application.yml", "a: 1\na: 2\n")
        .faults();
    assert!(
        faults.contains("config/application.yml cannot be read: line 2, column 1"),
        "{faults}"
    );
    let faults = Given::arguments(&[URI])
        .file("application.yml", "server:\n  port: x\n")
        .faults();
    assert!(faults.contains("server.port (application.yml:2:9) is `x`"), "{faults}");
}

#[test]
fn json_in_the_environment_is_a_source() {
    let given = Given::arguments(&[URI]).variable("SPRING_APPLICATION_JSON", r#"{"server":{"port":9}}"#);
    assert_eq!(given.settings().http.port, 9);
}
