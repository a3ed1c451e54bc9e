//! Connections: TLS, HTTP/2, and the stop.

use std::fs;
use std::path::PathBuf;

use config_server::settings::encrypt::Secret;
use config_server::settings::http::TlsSettings;
use reqwest::tls::TlsInfo;
use reqwest::{Client, Method, StatusCode, Version};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use tempfile::TempDir;
use test_support::eventually;
use tokio::time::timeout;

use super::harness::{App, DEADLINE, answer};

fn key_store() -> TlsSettings {
    TlsSettings::Pkcs12 {
        key_store: PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/conformance/keys/server.p12"),
        password: Secret::new("letmein".to_owned()),
        alias: Some("mytestkey".to_owned()),
    }
}

#[tokio::test]
async fn a_pkcs12_store_serves_https_and_http_2() {
    let app = App::start_with(|settings| settings.http.tls = Some(key_store())).await;
    let response = app.request(Method::GET, "/orders/dev").send().await.unwrap();
    assert_eq!(
        (response.status(), response.version()),
        (StatusCode::OK, Version::HTTP_2)
    );
    app.stop().await.unwrap();
}

/// The certificate that the server shows, in DER.
async fn shown(app: &App) -> Vec<u8> {
    let client = Client::builder()
        .no_proxy()
        .tls_danger_accept_invalid_certs(true)
        .tls_info(true);
    let client = client.timeout(DEADLINE).build().unwrap();
    let response = client
        .get(format!("https://{}/orders/dev", app.address))
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let info = response.extensions().get::<TlsInfo>().unwrap();
    info.peer_certificate().unwrap().to_vec()
}

#[tokio::test]
async fn a_renewed_certificate_is_shown_without_a_restart() {
    let data = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/tls");
    let mounted = TempDir::new().unwrap();
    let mount = |name: &str| {
        for kind in ["key", "pem"] {
            let place = mounted.path().join(format!("tls.{kind}"));
            fs::copy(data.join(format!("{name}.{kind}")), place).unwrap();
        }
    };
    let der = |name: &str| {
        CertificateDer::from_pem_file(data.join(format!("{name}.pem")))
            .unwrap()
            .to_vec()
    };
    mount("server");
    let app = App::start_with(|settings| {
        settings.http.tls = Some(TlsSettings::Pem {
            certificate: mounted.path().join("tls.pem"),
            private_key: mounted.path().join("tls.key"),
        });
    })
    .await;
    assert_eq!(shown(&app).await, der("server"));
    mount("renewed");
    eventually("the renewed certificate is shown", DEADLINE, async || {
        (shown(&app).await == der("renewed")).then_some(())
    })
    .await;
    app.stop().await.unwrap();
}

#[tokio::test]
async fn a_store_that_does_not_open_keeps_the_server_from_starting_and_names_the_setting() {
    let app = App::start_with(|settings| {
        settings.http.tls = Some(TlsSettings::Pkcs12 {
            key_store: PathBuf::from("/nowhere/at/all.p12"),
            password: Secret::new(String::new()),
            alias: None,
        });
    })
    .await;
    let error = app.ended().await.unwrap_err().to_string();
    assert!(
        error.contains("server.ssl.key-store") && !error.contains("/nowhere"),
        "{error}"
    );
}

#[tokio::test]
async fn http_2_is_spoken_without_tls_too() {
    let app = App::start().await;
    let client = Client::builder().no_proxy().http2_prior_knowledge().build().unwrap();
    let url = format!("http://{}/orders/dev", app.address);
    let response = client.get(url).send().await.unwrap();
    assert_eq!(
        (response.status(), response.version()),
        (StatusCode::OK, Version::HTTP_2)
    );
}

#[tokio::test]
async fn a_stop_ends_event_streams_and_everything_else_in_good_order() {
    let app = App::start().await;
    let url = "/bus/events?id=orders:0:x&application=orders&profiles=dev";
    let stream = app.request(Method::GET, url).send().await.unwrap();
    assert_eq!(stream.status(), StatusCode::OK);
    app.begin_stop();
    timeout(DEADLINE, stream.bytes())
        .await
        .expect("the stream ends")
        .unwrap();
    app.ended().await.unwrap();
}

#[tokio::test]
async fn what_a_stopped_server_has_written_down_is_there_at_the_next_start() {
    let app = App::start().await;
    let first = app.get("/orders/dev").await;
    assert!(first.header("x-config-move").ends_with("-1"));
    let refreshes = answer(app.request(Method::GET, "/bus/refreshes")).await;
    assert_eq!(refreshes.status, StatusCode::OK);
    app.stop().await.unwrap();
}
