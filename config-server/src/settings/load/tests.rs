use std::path::PathBuf;
use std::time::Duration;

use super::*;
use crate::settings::backend::{Backend, Freshness, GitSettings};
use crate::settings::bus::BusSettings;
use crate::settings::encrypt::KeyStoreKind;
use crate::settings::http::TlsSettings;
use crate::settings::management::Show;
use crate::settings::serving::Gate;

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

const URI: &str = "--spring.cloud.config.server.git.uri=https://git.example/config.git";

#[test]
fn what_is_not_written_has_the_default_of_the_struct() {
    let settings = Given::arguments(&[URI]).settings();
    let git = git(settings.backend);
    let expected = GitSettings::new(&git.uri, "config-bus-data/mirrors".into());
    assert_eq!(format!("{git:?}"), format!("{expected:?}"));
    assert_eq!(
        format!("{:?}", settings.http),
        format!("{:?}", crate::settings::HttpSettings::default())
    );
    assert_eq!(
        format!("{:?}", settings.serving),
        format!("{:?}", crate::settings::ServingSettings::default())
    );
    assert_eq!(
        format!("{:?}", settings.management),
        format!("{:?}", crate::settings::ManagementSettings::default())
    );
    assert_eq!(
        format!("{:?}", settings.monitor),
        format!("{:?}", crate::settings::MonitorSettings::default())
    );
    assert_eq!(
        format!("{:?}", settings.encrypt),
        format!("{:?}", crate::settings::EncryptSettings::default())
    );
    let change = crate::settings::ChangeSettings {
        database: Some("config-bus-data/state.db".into()),
        ..crate::settings::ChangeSettings::new(settings.change.bus_id.clone())
    };
    assert_eq!(format!("{:?}", settings.change), format!("{change:?}"));
    assert!(settings.change.bus_id.as_str().starts_with("config-server:8888:"));
    assert!(matches!(settings.bus, BusSettings::Embedded));
}

#[test]
fn a_refresh_rate_chooses_when_reads_look_at_the_remote() {
    for (written, expected) in [
        (None, Freshness::Background(Duration::from_secs(30))),
        (Some("0"), Freshness::Strict),
        (Some("-1"), Freshness::Manual),
        (Some("7"), Freshness::Background(Duration::from_secs(7))),
        (Some("2m"), Freshness::Background(Duration::from_secs(120))),
    ] {
        let rate = written.map(|rate| format!("--spring.cloud.config.server.git.refresh-rate={rate}"));
        let arguments: Vec<&str> = [URI].into_iter().chain(rate.as_deref()).collect();
        assert_eq!(Given::arguments(&arguments).git().freshness, expected, "{written:?}");
    }
}

#[test]
fn pattern_repositories_keep_their_order_and_inherit_logins() {
    let git = Given::arguments(&[
        URI,
        "--spring.cloud.config.server.git.username=me",
        "--spring.cloud.config.server.git.password=pw",
        "--spring.cloud.config.server.git.refresh-rate=0",
        "--spring.cloud.config.server.git.repos.simple=https://git.example/simple",
        "--spring.cloud.config.server.git.repos.team.uri=https://git.example/team",
        "--spring.cloud.config.server.git.repos.team.pattern=team*/*,local/dev",
        "--spring.cloud.config.server.git.repos.team.username=you",
        "--spring.cloud.config.server.git.repos[special/*].uri=https://git.example/special",
        "--spring.cloud.config.server.git.repos.listed.uri=https://git.example/listed",
        "--spring.cloud.config.server.git.repos.listed.pattern[0]=a/dev*",
        "--spring.cloud.config.server.git.repos.listed.pattern[1]=b/prod",
    ])
    .git();
    let shown = |repo: &crate::settings::backend::PatternRepo| {
        let login = repo.git.credentials.username.clone().unwrap_or_default();
        format!("{} {} {} {login}", repo.name, repo.git.uri, repo.patterns.join(";"))
    };
    assert_eq!(
        git.repos.iter().map(shown).collect::<Vec<_>>(),
        [
            "simple https://git.example/simple simple me",
            "team https://git.example/team team*/*;local/dev you",
            "special/* https://git.example/special special/* me",
            "listed https://git.example/listed a/dev*;b/prod me",
        ]
    );
    assert!(git.repos.iter().all(|repo| repo.git.freshness == Freshness::Strict));
    assert!(git.repos[1].git.credentials.password.is_none());
}

#[test]
fn members_of_a_composite_come_in_their_order() {
    let settings = Given::arguments(&[
        "--spring.profiles.active=composite",
        "--spring.cloud.config.server.composite[0].type=git",
        "--spring.cloud.config.server.composite[0].uri=https://git.example/team",
        "--spring.cloud.config.server.composite[0].order=2",
        "--spring.cloud.config.server.composite[1].type=native",
        "--spring.cloud.config.server.composite[1].search-locations=file:/etc/a/,file:/etc/b/",
        "--spring.cloud.config.server.composite[1].order=1",
        "--spring.cloud.config.server.fail-on-composite-error=false",
    ])
    .settings();
    let Backend::Composite { members, fail_on_error } = settings.backend else {
        panic!("no composite: {:?}", settings.backend);
    };
    assert!(!fail_on_error);
    match &members[..] {
        [Backend::Native(native), Backend::Git(git)] => {
            assert_eq!(native.search_locations, ["file:/etc/a/", "file:/etc/b/"]);
            assert_eq!(git.uri, "https://git.example/team");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_label_of_all_backends_wins_over_each_ones() {
    let git = Given::arguments(&[
        URI,
        "--spring.cloud.config.server.git.default-label=dev",
        "--spring.cloud.config.server.default-label=release",
    ])
    .git();
    assert_eq!(git.default_label, "release");
}

#[test]
fn variables_are_settings_in_relaxed_form() {
    let given = Given::default()
        .variable("SPRING_CLOUD_CONFIG_SERVER_GIT_URI", "https://git.example/config.git")
        .variable("SPRING_CLOUD_CONFIG_SERVER_GIT_SEARCHPATHS_0", "a")
        .variable("SPRING_CLOUD_CONFIG_SERVER_GIT_SEARCHPATHS_1", "b")
        .variable("SERVER_PORT", "1234")
        .variable("CONFIG_BUS_GATE", "off")
        .variable("PATH", "/bin")
        .variable("CONFIG_BUS_SERVICE_HOST", "10.0.0.1");
    let settings = given.settings();
    assert_eq!(settings.http.port, 1234);
    assert_eq!(settings.serving.gate, Gate::Off);
    assert_eq!(git(settings.backend).search_paths, ["a", "b"]);
}

#[test]
fn arguments_win_over_variables_and_placeholders_see_all() {
    let given = Given::arguments(&[
        "--spring.cloud.config.server.git.uri=${BASE}/${spring.application.name}-${stage:dev}",
        "--spring.application.name=own",
        "--server.port=1",
    ])
    .variable("SERVER_PORT", "2")
    .variable("BASE", "https://git.example");
    let settings = given.settings();
    assert_eq!(settings.http.port, 1);
    assert_eq!(git(settings.backend).uri, "https://git.example/own-dev");
}

#[test]
fn overrides_are_literal_texts_with_their_own_names() {
    let given = Given::arguments(&[
        URI,
        "--spring.cloud.config.server.overrides.new.key=n",
        "--spring.cloud.config.server.overrides.camelCase_x-y=1",
        "--spring.cloud.config.server.overrides.ph=${b}",
        "--spring.cloud.config.server.overrides.escaped=\\${b}",
        "--spring.cloud.config.server.overrides[dotted.key]=2",
        "--spring.cloud.config.server.overrides.list[0]=3",
    ]);
    let expected = [
        ("new.key", "n"),
        ("camelCase_x-y", "1"),
        ("ph", "${b}"),
        ("escaped", "${b}"),
        ("dotted.key", "2"),
        ("list[0]", "3"),
    ];
    let expected: Vec<_> = expected
        .iter()
        .map(|&(key, text)| (key.to_owned(), text.to_owned()))
        .collect();
    assert_eq!(given.settings().serving.overrides, expected);
}

#[test]
fn the_bus_is_rabbit_when_rabbit_is_configured() {
    let amqp = |list: &[&str]| {
        let arguments: Vec<&str> = [URI].iter().chain(list).copied().collect();
        match Given::arguments(&arguments).settings().bus {
            BusSettings::Amqp(amqp) => amqp,
            other => panic!("{other:?}"),
        }
    };
    let plain = amqp(&["--spring.rabbitmq.host=mq", "--spring.cloud.bus.destination=events"]);
    assert_eq!(plain.addresses, [("mq".to_owned(), 5672)]);
    assert_eq!(plain.spring_exchange.as_deref(), Some("events"));
    assert_eq!((plain.username.as_str(), plain.password.expose()), ("guest", "guest"));

    let listed = amqp(&[
        "--spring.rabbitmq.addresses=amqps://u:p%40@a/v,b:1",
        "--config-bus.amqp.spring-bridge=no",
    ]);
    assert_eq!(listed.addresses, [("a".to_owned(), 5671), ("b".to_owned(), 1)]);
    assert_eq!(
        (
            listed.username.as_str(),
            listed.password.expose(),
            listed.virtual_host.as_str()
        ),
        ("u", "p@", "v")
    );
    assert!(listed.tls.is_some());
    assert_eq!(listed.spring_exchange, None);

    let chosen = Given::arguments(&[URI, "--spring.rabbitmq.host=mq", "--config-bus.transport=embedded"]);
    assert!(matches!(chosen.settings().bus, BusSettings::Embedded));
    let off = Given::arguments(&[URI, "--spring.rabbitmq.host=mq", "--spring.cloud.bus.enabled=false"]);
    assert!(matches!(off.settings().bus, BusSettings::Off));
}

#[test]
fn tls_users_and_the_actuator_are_read() {
    let settings = Given::arguments(&[
        URI,
        "--server.ssl.key-store=file:/etc/tls/server.p12",
        "--server.ssl.key-store-password=pw",
        "--spring.security.user.name=root",
        "--spring.security.user.password={noop}s3cret",
        "--management.endpoints.web.exposure.include=health,info",
        "--management.endpoint.info.enabled=false",
        "--management.endpoint.health.show-details=always",
    ])
    .settings();
    match settings.http.tls {
        Some(TlsSettings::Pkcs12 { key_store, .. }) => assert_eq!(key_store, PathBuf::from("/etc/tls/server.p12")),
        other => panic!("{other:?}"),
    }
    let user = settings.http.user.expect("a user");
    assert_eq!((user.name.as_str(), user.password.expose()), ("root", "s3cret"));
    assert!(settings.management.exposes("health") && !settings.management.exposes("info"));
    assert_eq!(settings.management.health_details, Show::Always);
}

#[test]
fn a_key_store_is_read_and_the_plain_text_setting_is_as_odd_as_in_the_stock_server() {
    let base = [
        URI,
        "--encrypt.key-store.location=file:/keys/server.p12",
        "--encrypt.key-store.password=letmein",
        "--encrypt.key-store.alias=mytestkey",
        "--encrypt.key-store.type=pkcs12",
    ];
    let with = |extra: &str| {
        let arguments: Vec<&str> = base.iter().copied().chain([extra]).collect();
        Given::arguments(&arguments).key_stores("/keys").examine()
    };
    let plain = with("--spring.cloud.config.server.encrypt.plain-text-encrypt=true");
    assert!(
        plain.notes[0].contains("no effect in this spelling"),
        "{:?}",
        plain.notes
    );
    let encrypt = plain.settings.expect("good").encrypt;
    assert!(!encrypt.plain_text);
    assert_eq!(encrypt.key_store.expect("a store").kind, KeyStoreKind::Pkcs12);
    let exact = with("--spring.cloud.config.server.encrypt.plainTextEncrypt=true");
    assert!(exact.settings.expect("good").encrypt.plain_text);
}

#[test]
fn every_fault_is_told_at_once_with_its_place() {
    let faults = Given::arguments(&[
        "--server.port=eighty",
        "--spring.cloud.config.server.git.timeot=5",
        "--spring.cloud.config.server.git.uri=${NOWHERE}",
        "--spring.cloud.config.server.git.timeout=soon",
        "--spring.cloud.config.server.git.clone-submodules=true",
        "--spring.cloud.config.server.vault.host=v",
        "--spring.cloud.config.server.vault.port=1",
        "--config-bus.gate=ajar",
        "--config-bus.colour=red",
        "--server.ssl.certificate=a.pem",
        "--server.ssl.client-auth=need",
        "--spring.security.user.name=root",
        "--spring.security.oauth2.client.x=y",
        "--encrypt.key-store.location=x.jks",
        "--config-bus.cache-size=much",
    ])
    .variable("CONFIG_BUS_LIMITS_DEPTH", "0")
    .faults();
    insta::assert_snapshot!(faults);
}

#[test]
fn no_backend_without_a_repository() {
    assert!(
        Given::default()
            .faults()
            .contains("spring.cloud.config.server.git.uri is needed")
    );
    assert!(
        Given::arguments(&["--spring.profiles.active=vault"])
            .faults()
            .contains("`vault` is not supported")
    );
    assert!(
        Given::arguments(&["--spring.profiles.active=composite"])
            .faults()
            .contains("is needed")
    );
    let native = Given::arguments(&["--spring.profiles.active=native"]).settings();
    assert!(matches!(native.backend, Backend::Native(_)));
}

#[test]
fn settings_of_others_are_one_note_for_each_family() {
    let examined = Given::arguments(&[
        URI,
        "--eureka.client.enabled=false",
        "--eureka.instance.x=1",
        "--logging.level.root=debug",
        "--spring.jpa.open-in-view=false",
        "--spring.cloud.config.server.git.force-pull=true",
    ])
    .examine();
    insta::assert_snapshot!(examined.notes.join("\n"), @r"
    spring.cloud.config.server.git.force-pull (argument) has no effect: Nothing to force: there is no work tree.
    eureka.* (2 settings) is not used by this server
    logging.* (1 setting) is not used by this server
    spring.jpa.* (1 setting) is not used by this server
    ");
}

#[test]
fn the_printout_shows_origins_and_no_secret() {
    let printout = Given::arguments(&[
        "--spring.cloud.config.server.git.uri=https://me:hush@git.example/config.git",
        "--spring.cloud.config.server.git.password=hush",
        "--spring.cloud.config.server.git.repos.team.uri=https://git.example/team",
        "--spring.cloud.config.server.git.repos.team.password=hush",
        "--spring.cloud.config.server.overrides.db.password=hush",
        "--encrypt.key=hush",
        "--spring.rabbitmq.addresses=amqp://me:hush@mq:5672",
        "--spring.security.user.password=hush",
        "--config-bus.monitor.github.secret=hush",
    ])
    .variable("SERVER_PORT", "80")
    .examine()
    .printout;
    assert!(!printout.contains("hush"), "{printout}");
    insta::assert_snapshot!(printout);
}

#[test]
fn the_settings_of_every_recorded_suite_load() {
    let cases = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/conformance/cases");
    let mut count = 0;
    for entry in std::fs::read_dir(cases).expect("the recorded suites") {
        let path = entry.expect("an entry").path();
        let suite: serde_json::Value =
            serde_json::from_slice(&std::fs::read(&path).expect("a suite")).expect("a suite in JSON");
        let settings = suite["settings"].as_object().expect("settings");
        let arguments = settings.iter().map(|(key, value)| {
            format!("--{key}={}", value.as_str().unwrap_or_default()).replace("{repos}", "git://h")
        });
        let given = Given {
            arguments: arguments.collect(),
            ..Given::default()
        };
        let given = given.key_stores("{here}/keys");
        let examined = given.examine();
        assert!(examined.settings.is_ok(), "{}: {}", path.display(), given.faults());
        count += 1;
    }
    assert!(count > 50, "{count} suites");
}

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
    assert_eq!(git.uri, "https://git.example/{application}-config");
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
        .map(|(key, text)| format!("{key}={text}"));
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
    let file = |text: &str| format!("spring.cloud.config.server.git.uri=u\nconfig-bus.data-dir={text}\n");
    let base = || {
        Given::default()
            .file(
                "application.yml",
                "config-bus.data-dir: a\nspring.cloud.config.server.git.uri: u",
            )
            .file("notes.yml", "config-bus.data-dir: never")
    };
    let database = |given: Given| given.settings().change.database;
    let expect = |given: Given, directory: &str| {
        assert_eq!(database(given), Some(PathBuf::from(directory).join("state.db")));
    };
    expect(base(), "a");
    expect(base().file("application.properties", file("b")), "b");
    expect(
        base()
            .file("application.properties", file("b"))
            .file("config/application.yml", "config-bus.data-dir: c"),
        "c",
    );
    let profiled = || {
        base()
            .file("application-prod.yml", "config-bus.data-dir: d")
            .file("config/application.yml", "x: y")
    };
    expect(profiled(), "a");
    expect(profiled().variable("SPRING_PROFILES_ACTIVE", "prod"), "d");
    expect(
        profiled().file("config/application.properties", "spring.profiles.active=prod"),
        "d",
    );
    let elsewhere = base().file("/etc/cs/application.yml", file("e").replace('=', ": "));
    let located = Given {
        arguments: vec!["--spring.config.location=file:/etc/cs/".into()],
        ..elsewhere
    };
    expect(located, "e");
    let single = base()
        .file("/etc/cs/mine.properties", file("f"))
        .file("/etc/cs/mine-prod.properties", file("g"));
    let argument = "--spring.config.additional-location=optional:file:/etc/cs/mine.properties";
    let single = Given {
        arguments: vec![argument.into()],
        ..single
    };
    let profile = Given {
        environment: [("SPRING_PROFILES_ACTIVE".into(), "prod".into())].into(),
        files: single.files.clone(),
        arguments: single.arguments.clone(),
    };
    expect(single, "f");
    expect(profile, "g");
    let named = base().file(
        "server.yml",
        "config-bus.data-dir: h\nspring.cloud.config.server.git.uri: u",
    );
    let named = Given {
        arguments: vec!["--spring.config.name=server".into()],
        ..named
    };
    expect(named, "h");
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
    assert_eq!(
        (git.uri.as_str(), git.credentials.username.as_deref()),
        ("u", Some("me"))
    );
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
fn keys_that_cannot_be_used_are_told() {
    let store = |extra: &str| {
        let arguments = [
            URI,
            "--encrypt.key-store.location=/keys/server.jks",
            "--encrypt.key-store.alias=mytestkey",
            extra,
        ];
        Given::arguments(&arguments).key_stores("/keys").faults()
    };
    let wrong = store("--encrypt.key-store.password=wrong");
    assert!(
        wrong.contains("encrypt.key-store cannot be read: the key store cannot be opened"),
        "{wrong}"
    );
    let sealed = Given::arguments(&[URI, "--spring.cloud.config.server.git.password={cipher}00"]).faults();
    assert!(
        sealed.contains("git.password (argument) cannot be decrypted"),
        "{sealed}"
    );
    let absent = Given::arguments(&[
        URI,
        "--encrypt.key-store.location=nowhere.jks",
        "--encrypt.key-store.alias=a",
        "--encrypt.key-store.password=p",
    ]);
    assert!(absent.faults().contains("there is no key store"));
}

#[test]
fn json_in_the_environment_is_a_source() {
    let given = Given::arguments(&[URI]).variable("SPRING_APPLICATION_JSON", r#"{"server":{"port":9}}"#);
    assert_eq!(given.settings().http.port, 9);
}
