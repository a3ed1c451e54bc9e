//! Opens a connection within a deadline, and leaves nothing behind when it passes.
//!
//! The client library drives each connection on a thread of its own, which a dropped attempt does
//! not end while the peer keeps silent. So the socket is opened here, and shut when time is up.

use std::io;
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::os::fd::AsFd;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use lapin::tcp::AsyncTcpStream;
use lapin::uri::{AMQPAuthority, AMQPQueryString, AMQPScheme, AMQPUri, AMQPUserInfo};
use lapin::{Connection, ConnectionProperties};
use tokio::net::lookup_host;
use tokio::time::timeout;

use super::connection::fault_of;
use super::settings::{Address, AmqpSettings};
use super::tls;
use crate::supervise::Fault;

/// A second handle on the socket of an attempt, once there is one.
type Handle = Arc<OnceLock<TcpStream>>;

/// Connects to `address`; `role` is how the broker's tools call the connection.
pub(crate) async fn dial(settings: &AmqpSettings, address: &Address, role: &str) -> Result<Connection, Fault> {
    let handle = Handle::default();
    let opened = open(settings, address, role, Arc::clone(&handle));
    match timeout(settings.connect_deadline, opened).await {
        Ok(opened) => opened.map_err(|e| fault_of(&e).at(address)),
        Err(_) => {
            if let Some(socket) = handle.get() {
                let _ = socket.shutdown(Shutdown::Both);
            }
            Err(Fault::Transient("no answer in time".to_owned()).at(address))
        }
    }
}

async fn open(settings: &AmqpSettings, address: &Address, role: &str, handle: Handle) -> lapin::Result<Connection> {
    let properties = ConnectionProperties::default().with_connection_name(role.into());
    let tls = settings.tls.as_ref().map(tls::connector).transpose()?;
    let (address, deadline) = (address.clone(), settings.connect_deadline);
    let uri = uri(settings, &address);
    let runtime = lapin::runtime::default_runtime()?;
    let reactor = runtime.clone();
    let connect = async move |_: AMQPUri, _| {
        let resolved = resolve(&address, deadline).await?;
        let dialled = timeout(deadline, AsyncTcpStream::connect(&reactor, resolved));
        let plain = dialled.await.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
        if let AsyncTcpStream::Plain(stream) = &plain {
            // Set once: without recovery the library connects once.
            let _ = handle.set(TcpStream::from(stream.get_ref().as_fd().try_clone_to_owned()?));
        }
        match &tls {
            Some(tls) => Ok(plain.into_rustls(tls, &address.host).await?),
            None => Ok(plain),
        }
    };
    Connection::connector(uri, runtime, connect, properties).await
}

async fn resolve(address: &Address, deadline: Duration) -> io::Result<Vec<SocketAddr>> {
    let found = timeout(deadline, lookup_host((address.host.as_str(), address.port)));
    Ok(found
        .await
        .map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??
        .collect())
}

fn uri(settings: &AmqpSettings, address: &Address) -> AMQPUri {
    AMQPUri {
        scheme: match settings.tls {
            Some(_) => AMQPScheme::AMQPS,
            None => AMQPScheme::AMQP,
        },
        authority: AMQPAuthority {
            userinfo: AMQPUserInfo {
                username: settings.credentials.username.clone(),
                password: settings.credentials.password.reveal().to_owned(),
            },
            host: address.host.clone(),
            port: address.port,
        },
        vhost: settings.virtual_host.clone(),
        query: AMQPQueryString {
            heartbeat: Some(u16::try_from(settings.heartbeat.as_secs()).unwrap_or(u16::MAX)),
            ..AMQPQueryString::default()
        },
    }
}
