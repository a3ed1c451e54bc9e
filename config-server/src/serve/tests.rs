use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::routing::{get, post};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::{Drained, Server, bind};
use crate::settings::HttpSettings;

/// Longer than anything here takes when it works.
const LONG: Duration = Duration::from_secs(20);

struct Running {
    address: SocketAddr,
    stop: CancellationToken,
    server: JoinHandle<std::io::Result<Drained>>,
}

async fn start(settings: HttpSettings, router: Router) -> Running {
    let listener = bind(&settings).await.expect("a free port");
    let address = SocketAddr::from(([127, 0, 0, 1], listener.local_addr().expect("an address").port()));
    let stop = CancellationToken::new();
    let server = TaskTracker::new().spawn(Server::new(&settings, None).run(listener, router, stop.clone()));
    Running { address, stop, server }
}

impl Running {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.expect("a connection")
    }

    async fn stopped(self) -> Drained {
        let ended = timeout(LONG, self.server).await.expect("in time");
        ended.expect("no panic").expect("a listener to the end")
    }
}

async fn rest(stream: &mut TcpStream) -> String {
    let mut text = String::new();
    let read = timeout(LONG, stream.read_to_string(&mut text)).await.expect("in time");
    read.map(|_| text).unwrap_or_default()
}

fn hello() -> Router {
    Router::new().route("/", get(|| async { "hello" }))
}

/// Says that a request has arrived, and answers once it may.
fn held(started: &Arc<Notify>, go: &Arc<Notify>) -> Router {
    let (started, go) = (Arc::clone(started), Arc::clone(go));
    let answer = || async move {
        started.notify_one();
        go.notified().await;
        "done"
    };
    Router::new().route("/", get(answer))
}

#[tokio::test]
async fn a_client_that_drips_its_header_is_cut_off() {
    let settings = HttpSettings {
        header_timeout: Duration::from_millis(100),
        ..HttpSettings::for_testing()
    };
    let running = start(settings, hello()).await;
    let mut stream = running.connect().await;
    stream.write_all(b"GET / HTTP/1.1\r\nHost: x").await.expect("sent");
    assert!(!rest(&mut stream).await.contains("hello"));
}

#[tokio::test]
async fn a_client_that_never_asks_is_cut_off() {
    let settings = HttpSettings {
        header_timeout: Duration::from_millis(100),
        ..HttpSettings::for_testing()
    };
    let running = start(settings, hello()).await;
    // Nothing, what may become either version, and HTTP/2 without a request.
    for sent in ["", "PRI * H", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0"] {
        let mut stream = running.connect().await;
        stream.write_all(sent.as_bytes()).await.expect("sent");
        let mut answer = Vec::new();
        let ended = timeout(LONG, stream.read_to_end(&mut answer)).await;
        assert!(ended.is_ok(), "still open after {sent:?}");
    }
}

#[tokio::test]
async fn a_client_that_has_asked_may_wait_for_its_answer() {
    let settings = HttpSettings {
        header_timeout: Duration::from_millis(50),
        ..HttpSettings::for_testing()
    };
    let (started, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let running = start(settings, held(&started, &go)).await;
    let mut stream = running.connect().await;
    let head = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    stream.write_all(head).await.expect("sent");
    timeout(LONG, started.notified()).await.expect("the request arrives");
    // One that comes later and asks nothing runs out of its time: so would the other, if it had any.
    assert_eq!(rest(&mut running.connect().await).await, "");
    go.notify_one();
    assert!(rest(&mut stream).await.ends_with("done"));
}

#[tokio::test]
async fn a_client_that_falls_silent_in_its_body_is_cut_off() {
    let settings = HttpSettings {
        header_timeout: Duration::from_millis(100),
        ..HttpSettings::for_testing()
    };
    let router = Router::new().route("/", post(|body: Bytes| async move { body }));
    let running = start(settings, router).await;
    let mut stream = running.connect().await;
    let head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc";
    stream.write_all(head).await.expect("sent");
    assert!(!rest(&mut stream).await.contains("200 OK"));
}

#[tokio::test]
async fn too_many_header_lines_are_refused() {
    let running = start(HttpSettings::for_testing(), hello()).await;
    let mut stream = running.connect().await;
    let head = format!("GET / HTTP/1.1\r\nHost: x\r\n{}\r\n", "A: b\r\n".repeat(100));
    stream.write_all(head.as_bytes()).await.expect("sent");
    assert!(rest(&mut stream).await.starts_with("HTTP/1.1 431"));
}

#[tokio::test]
async fn above_the_connection_limit_newcomers_wait_for_a_slot() {
    let settings = HttpSettings {
        max_connections: 1,
        ..HttpSettings::for_testing()
    };
    let running = start(settings, hello()).await;
    let first = running.connect().await;
    let mut second = running.connect().await;
    second
        .write_all(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        .await
        .expect("sent");
    let mut byte = [0];
    assert!(
        timeout(Duration::from_millis(100), second.read(&mut byte))
            .await
            .is_err()
    );
    drop(first);
    assert!(rest(&mut second).await.ends_with("hello"));
}

#[tokio::test]
async fn when_connections_are_scarce_an_answer_is_the_last_of_its_own() {
    let settings = HttpSettings {
        max_connections: 8,
        ..HttpSettings::for_testing()
    };
    let running = start(settings, hello()).await;
    let ask = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    let mut kept = running.connect().await;
    for _ in 0..2 {
        kept.write_all(ask).await.expect("sent");
        kept.read_exact(&mut [0; 12]).await.expect("an answer");
    }
    let mut silent = Vec::new();
    for _ in 0..5 {
        silent.push(running.connect().await);
    }
    // Accepted after all of those.
    let mut seventh = running.connect().await;
    seventh.write_all(ask).await.expect("sent");
    let answer = rest(&mut seventh).await;
    assert!(answer.contains("connection: close"), "{answer}");
    kept.write_all(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        .await
        .expect("sent");
    assert!(rest(&mut kept).await.ends_with("hello"));
}

#[tokio::test]
async fn a_stop_lets_a_running_request_finish() {
    let (started, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let running = start(HttpSettings::for_testing(), held(&started, &go)).await;
    let mut stream = running.connect().await;
    stream
        .write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .expect("sent");
    timeout(LONG, started.notified()).await.expect("the request arrives");
    running.stop.cancel();
    go.notify_one();
    assert!(rest(&mut stream).await.ends_with("done"));
    assert_eq!(running.stopped().await, Drained::Clean);
}

#[tokio::test]
async fn what_does_not_finish_in_time_is_cut_and_counted() {
    let settings = HttpSettings {
        shutdown_grace: Duration::from_millis(50),
        ..HttpSettings::for_testing()
    };
    let started = Arc::new(Notify::new());
    let stuck = {
        let started = Arc::clone(&started);
        move || async move {
            started.notify_one();
            std::future::pending::<&str>().await
        }
    };
    let running = start(settings, Router::new().route("/", get(stuck))).await;
    let mut stream = running.connect().await;
    stream
        .write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .expect("sent");
    timeout(LONG, started.notified()).await.expect("the request arrives");
    running.stop.cancel();
    assert_eq!(running.stopped().await, Drained::Cut(1));
}
