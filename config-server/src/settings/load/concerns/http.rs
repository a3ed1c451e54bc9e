//! `server.*`, `spring.security.user.*`, `config-bus.http.*`.

use super::{Binder, serving};
use crate::settings::encrypt::Secret;
use crate::settings::http::{HttpSettings, TlsSettings, User};
use crate::settings::load::fault::Reason;
use crate::settings::load::known::{Group, Kind, key};
use crate::settings::load::units::Unit;
use crate::settings::load::view::View;

pub(crate) static GROUP: Group = Group {
    title: "Listening",
    prefixes: &["server"],
    keys: &[
        key("port", Kind::Port, "8888", "The port (`--port`); 0 takes a free one."),
        key("address", Kind::Text, "0.0.0.0", "The address."),
        key(
            "ssl.enabled",
            Kind::Flag,
            "true",
            "Speak TLS when a certificate is given.",
        ),
        key("ssl.certificate", Kind::Path, "", "The certificate chain, in PEM."),
        key("ssl.certificate-private-key", Kind::Path, "", "Its key, in PEM."),
        key("ssl.key-store", Kind::Path, "", "Both in a PKCS#12 store."),
        key("ssl.key-store-password", Kind::Secret, "", "Opens the store."),
        key(
            "ssl.key-store-type",
            Kind::Choice(&["PKCS12"]),
            "PKCS12",
            "What the store is.",
        ),
        key(
            "ssl.key-alias",
            Kind::Text,
            "",
            "The key in the store; the only one unless set.",
        ),
        key(
            "ssl.client-auth",
            Kind::Refused,
            "none",
            "client certificates are not asked for",
        ),
        key("ssl.bundle", Kind::Refused, "", "name the certificate itself"),
        key(
            "ssl.key-password",
            Kind::Ignored,
            "",
            "A PKCS#12 store has one password.",
        ),
        key("ssl.protocol", Kind::Ignored, "", "TLS 1.2 and 1.3."),
        key("ssl.enabled-protocols", Kind::Ignored, "", "TLS 1.2 and 1.3."),
        key("ssl.ciphers", Kind::Ignored, "", "The secure ones."),
        key(
            "servlet.context-path",
            Kind::Refused,
            "/",
            "use `spring.cloud.config.server.prefix`",
        ),
    ],
};

pub(crate) static USER: Group = Group {
    title: "Who may come in",
    prefixes: &["spring.security.user"],
    keys: &[
        key("name", Kind::Text, "user", "The user, when a password is set."),
        key(
            "password",
            Kind::Secret,
            "",
            "The password; without one everybody may come in.",
        ),
        key("roles", Kind::Ignored, "", "There is one user, who may do everything."),
    ],
};

pub(crate) static OURS: Group = Group {
    title: "Limits of connections",
    prefixes: &["config-bus.http"],
    keys: &[
        key(
            "header-timeout",
            Kind::Time(Unit::Seconds),
            "10s",
            "Time for a request's head.",
        ),
        key("body-limit", Kind::Size, "4MiB", "A request's body."),
        key(
            "max-connections",
            Kind::Count,
            "20000",
            "Open connections; more wait. No more than the system allows open files for. When three quarters are taken, HTTP/1.1 connections end with their next answer.",
        ),
        key(
            "shutdown-grace",
            Kind::Time(Unit::Seconds),
            "20s",
            "How long requests may finish after a stop.",
        ),
    ],
};

pub(super) fn bind(binder: &Binder<'_>) -> HttpSettings {
    let view = binder.open(&GROUP);
    let ours = binder.open(&OURS);
    HttpSettings {
        address: address(&view),
        port: view.number("port", "a port: a number from 0 to 65535"),
        user: user(&binder.open(&USER)),
        tls: tls(&view),
        prefix: serving::prefix(binder),
        header_timeout: ours.time("header-timeout"),
        body_limit: ours.size("body-limit"),
        max_connections: ours.count("max-connections"),
        shutdown_grace: ours.time("shutdown-grace"),
    }
}

fn address(view: &View<'_>) -> std::net::IpAddr {
    let text = view.text_or_default("address");
    let text = if text.eq_ignore_ascii_case("localhost") {
        "127.0.0.1".into()
    } else {
        text
    };
    text.trim().parse().unwrap_or_else(|_| {
        view.wrong("address", "an IP address");
        HttpSettings::default().address
    })
}

fn user(view: &View<'_>) -> Option<User> {
    let Some(password) = view.text("password") else {
        if view.written("name").is_some() {
            view.fault("password", Reason::Missing("a user is named"));
        }
        return None;
    };
    Some(User {
        name: view.text_or_default("name"),
        password: Secret::new(plain_password(view, &password)),
    })
}

/// A password may say how it is stored: `{noop}` is as it stands.
fn plain_password(view: &View<'_>, password: &str) -> String {
    match password.strip_prefix('{').and_then(|rest| rest.split_once('}')) {
        Some(("noop", plain)) => plain.to_owned(),
        Some((_, stored)) if !stored.is_empty() => {
            view.wrong("password", "a plain password, or one after `{noop}`");
            String::new()
        }
        _ => password.to_owned(),
    }
}

fn tls(view: &View<'_>) -> Option<TlsSettings> {
    if !view.flag("ssl.enabled") {
        return None;
    }
    if let Some(certificate) = view.path("ssl.certificate") {
        let Some(private_key) = view.path("ssl.certificate-private-key") else {
            view.fault("ssl.certificate-private-key", Reason::Missing("a certificate is given"));
            return None;
        };
        return Some(TlsSettings::Pem {
            certificate,
            private_key,
        });
    }
    let Some(key_store) = view.path("ssl.key-store") else {
        if view.written("ssl.enabled").is_some() {
            view.fault(
                "ssl.certificate",
                Reason::Missing("TLS is enabled (or give `ssl.key-store`)"),
            );
        }
        return None;
    };
    view.choice("ssl.key-store-type");
    Some(TlsSettings::Pkcs12 {
        key_store,
        password: view.secret("ssl.key-store-password").unwrap_or_default(),
        alias: view.text("ssl.key-alias"),
    })
}
