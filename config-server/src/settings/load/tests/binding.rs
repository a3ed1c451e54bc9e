//! What becomes of good settings.

use std::path::PathBuf;
use std::time::Duration;

use super::{Given, URI, git};
use crate::settings::backend::{Backend, Freshness, GitSettings};
use crate::settings::bus::BusSettings;
use crate::settings::encrypt::KeyStoreKind;
use crate::settings::http::TlsSettings;
use crate::settings::management::{Access, Show};
use crate::settings::serving::Gate;

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
        format!("{} {} {} {login}", repo.name, &*repo.git.uri, repo.patterns.join(";"))
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
fn the_ways_to_a_remote_are_read() {
    let given = Given::arguments(&[
        URI,
        "--spring.cloud.config.server.git.ignore-local-ssh-settings=true",
        "--spring.cloud.config.server.git.private-key=-----BEGIN RSA PRIVATE KEY-----",
        "--spring.cloud.config.server.git.host-key=AAAA",
        "--spring.cloud.config.server.git.host-key-algorithm=ssh-ed25519",
        "--spring.cloud.config.server.git.known-hosts-file=file:/etc/hosts.known",
        "--spring.cloud.config.server.git.proxy.https.host=proxy",
        "--spring.cloud.config.server.git.proxy.https.port=3128",
        "--spring.cloud.config.server.git.proxy.https.non-proxy-hosts=*.here|localhost",
        "--spring.cloud.config.server.git.proxy.https.password=hush",
        "--config-bus.git.ca-file=/etc/ca.pem",
    ]);
    let git = given.git();
    assert!(git.ssh.ignore_local && git.ssh.strict_host_key_checking && git.ssh.private_key.is_some());
    assert_eq!(git.ssh.known_hosts_file, Some(PathBuf::from("/etc/hosts.known")));
    assert_eq!(git.ca_file, Some(PathBuf::from("/etc/ca.pem")));
    let [proxy] = &git.proxies[..] else {
        panic!("{:?}", git.proxies);
    };
    assert_eq!(
        (proxy.scheme.as_str(), proxy.host.as_str(), proxy.port),
        ("https", "proxy", 3128)
    );
    assert_eq!(proxy.non_proxy_hosts, ["*.here", "localhost"]);
    assert!(!format!("{git:?}").contains("hush"));
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
            assert_eq!(&*git.uri, "https://git.example/team");
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
    assert_eq!(&*git(settings.backend).uri, "https://git.example/own-dev");
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
    let overrides = given.settings().serving.overrides;
    let written: Vec<_> = overrides.iter().map(|(key, text)| (&**key, text.expose())).collect();
    assert_eq!(written, expected);
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

    let known = amqp(&[
        "--spring.rabbitmq.ssl.enabled=true",
        "--spring.rabbitmq.ssl.key-store=file:/etc/me.p12",
        "--spring.rabbitmq.ssl.key-store-password=pw",
        "--spring.rabbitmq.ssl.trust-store=/etc/trust.jks",
        "--spring.rabbitmq.ssl.verify-hostname=false",
        "--config-bus.amqp.ca-file=/etc/ca.pem",
    ]);
    assert_eq!(known.addresses, [("localhost".to_owned(), 5671)]);
    let tls = known.tls.expect("TLS");
    assert_eq!(tls.ca_file, Some(PathBuf::from("/etc/ca.pem")));
    let (own, trusted) = (tls.key_store.expect("a store"), tls.trust_store.expect("a store"));
    assert_eq!(
        (own.location, own.kind),
        (PathBuf::from("/etc/me.p12"), KeyStoreKind::Pkcs12)
    );
    assert_eq!(
        (trusted.location, trusted.kind),
        (PathBuf::from("/etc/trust.jks"), KeyStoreKind::Jks)
    );
    assert!(tls.validates && !tls.verifies_hostname);

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
        "--management.endpoint.refresh.access=read-only",
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
    assert_eq!(settings.management.endpoints["refresh"], Access::ReadOnly);
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

#[test]
fn directories_are_looked_through_as_often_as_set() {
    let settings = Given::arguments(&[
        "--spring.profiles.active=native",
        "--spring.cloud.config.server.monitor.fixed-delay=250",
    ])
    .settings();
    assert_eq!(settings.profiles, ["native"]);
    match settings.backend {
        Backend::Native(native) => assert_eq!(native.look_every, Duration::from_millis(250)),
        other => panic!("{other:?}"),
    }
}
