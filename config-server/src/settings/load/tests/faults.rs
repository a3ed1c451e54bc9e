//! What is told about settings that are wrong, not used, or in effect.

use super::{Given, URI};
use crate::settings::backend::Backend;

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
fn a_wrong_address_is_told_without_its_login() {
    let faults = Given::arguments(&[URI, "--spring.rabbitmq.addresses=bus:secret@host:5672,x:secret@:1"]).faults();
    assert!(
        faults.contains("***@host:5672") && !faults.contains("secret"),
        "{faults}"
    );
    let printed = Given::arguments(&["--spring.cloud.config.server.git.uri=https://me:s,cret@h/x"]).examine();
    assert!(printed.printout.contains("https://***@h/x"), "{}", printed.printout);
}
