//! A RabbitMQ node of one's own: free ports, own directory, no plugins, gone with the test.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::OnceCell;
use tokio::time::timeout;

use crate::eventually::eventually;
use crate::group::Group;
use crate::ports::free_port;

/// Debian's scripts without the wrapper that changes the user.
const SCRIPTS: &str = "/usr/lib/rabbitmq/bin";
const START_DEADLINE: Duration = Duration::from_secs(120);
const PROTOCOL_HEADER: &[u8] = b"AMQP\0\0\x09\x01";
/// The user every node is born with.
const GUEST: &str = "guest";

/// A running node. Dropping it ends it with all its children; so does the death of the test.
#[derive(Debug)]
pub struct Broker {
    directory: TempDir,
    name: String,
    port: u16,
    distribution_port: u16,
    names_port: u16,
    /// Where it speaks TLS, when it does.
    tls_port: Option<u16>,
    /// The port mapper: ours, so that nodes of parallel tests do not meet.
    _names: Group,
    node: Mutex<Option<Group>>,
    virtual_hosts: AtomicU32,
}

/// What a user may do, as regular expressions over names.
#[derive(Debug, Clone, Copy)]
pub struct Rights<'a> {
    /// Declare and delete.
    pub configure: &'a str,
    /// Publish to exchanges, bind queues.
    pub write: &'a str,
    /// Consume queues, bind to exchanges.
    pub read: &'a str,
}

impl Rights<'static> {
    /// Everything.
    #[must_use]
    pub fn all() -> Self {
        Self {
            configure: ".*",
            write: ".*",
            read: ".*",
        }
    }
}

impl Broker {
    /// The node all tests of one binary share; each takes a [`Broker::virtual_host`] of its own and
    /// leaves the node as it is.
    pub async fn shared() -> &'static Arc<Self> {
        static SHARED: OnceCell<Arc<Broker>> = OnceCell::const_new();
        SHARED.get_or_init(async || Arc::new(Self::launch().await)).await
    }

    /// A node to break.
    ///
    /// # Panics
    /// When RabbitMQ is not installed or does not start; a test must not pass without it.
    pub async fn launch() -> Self {
        Self::launch_with(None).await
    }

    /// A node that also speaks TLS, to clients that show a certificate: `files` holds
    /// `authority.pem`, which vouches for them, `broker.pem` and `broker.key`.
    pub async fn launch_with_tls(files: &Path) -> Self {
        Self::launch_with(Some(files)).await
    }

    async fn launch_with(tls: Option<&Path>) -> Self {
        assert!(
            Path::new(SCRIPTS).join("rabbitmq-server").exists(),
            "RabbitMQ is not installed: run the tests with the command of the README, which installs it"
        );
        let directory = TempDir::new().expect("a directory for the node");
        let [port, distribution_port, names_port, tls_port] = [(); 4].map(|()| free_port().expect("a free port"));
        let names = names_server(names_port).expect("epmd runs");
        let broker = Self {
            name: format!("config-bus-{port}@localhost"),
            directory,
            port,
            distribution_port,
            names_port,
            tls_port: tls.map(|_| tls_port),
            _names: names,
            node: Mutex::new(None),
            virtual_hosts: AtomicU32::new(0),
        };
        if let Some(files) = tls {
            std::fs::write(broker.path("node.conf"), tls_configuration(tls_port, files))
                .expect("a file in the node's directory");
        }
        broker.start().await;
        broker
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    /// Where it speaks TLS, by the name in its certificate.
    ///
    /// # Panics
    /// Unless it was made by [`Broker::launch_with_tls`].
    #[must_use]
    pub fn tls_port(&self) -> u16 {
        self.tls_port.expect("a node that speaks TLS")
    }

    /// A fresh virtual host, all of it the guest's.
    pub async fn virtual_host(&self) -> String {
        let name = format!("test-{}", self.virtual_hosts.fetch_add(1, Ordering::Relaxed));
        self.eval(&format!(
            "rabbit_vhost:add(<<\"{name}\">>, <<\"test\">>), {}",
            grant(GUEST, &name, Rights::all())
        ))
        .await;
        name
    }

    /// Adds a user who may do `rights` in `virtual_host`, and nothing elsewhere.
    pub async fn add_user(&self, name: &str, password: &str, virtual_host: &str, rights: Rights<'_>) {
        self.eval(&format!(
            "rabbit_auth_backend_internal:add_user(<<\"{name}\">>, <<\"{password}\">>, <<\"test\">>), {}",
            grant(name, virtual_host, rights)
        ))
        .await;
    }

    /// Closes every client's connection, as an operator would.
    pub async fn close_connections(&self) {
        self.eval("[rabbit_networking:close_connection(Pid, \"closed by the test\") || Pid <- rabbit_networking:connections()], ok")
            .await;
    }

    /// Closes the connections of one virtual host, as an operator would.
    pub async fn close_connections_of(&self, virtual_host: &str) {
        let ours = format!("<<\"{virtual_host}\">>");
        self.eval(&format!(
            "[rabbit_networking:close_connection(Pid, \"closed by the test\") || Pid <- rabbit_networking:connections(), \
             rabbit_reader:info(Pid, [vhost]) =:= [{{vhost, {ours}}}]], ok"
        ))
        .await;
    }

    /// Deletes every queue of a virtual host, whoever consumes from it.
    pub async fn delete_queues_of(&self, virtual_host: &str) {
        self.eval(&format!(
            "[rabbit_amqqueue:delete(Queue, false, false, <<\"test\">>) || Queue <- rabbit_amqqueue:list(<<\"{virtual_host}\">>)], ok"
        ))
        .await;
    }

    /// Raises the memory alarm, or clears it.
    pub async fn alarm(&self, on: bool) {
        let fraction = if on { "0.000001" } else { "0.8" };
        self.ctl(&["set_vm_memory_high_watermark", fraction]).await;
    }

    /// Stops the node in good order.
    pub async fn stop(&self) {
        self.ctl(&["stop", &self.pid_file().to_string_lossy()]).await;
        self.kill();
    }

    /// Kills the node.
    pub fn kill(&self) {
        drop(self.node.lock().expect("no test panicked with it").take());
    }

    /// Starts the node again after [`Broker::stop`] or [`Broker::kill`].
    pub async fn start(&self) {
        let mut command = self.script("rabbitmq-server");
        command
            .env("RABBITMQ_NODE_PORT", self.port.to_string())
            .env("RABBITMQ_NODE_IP_ADDRESS", "127.0.0.1")
            .env("RABBITMQ_DIST_PORT", self.distribution_port.to_string())
            .env("RABBITMQ_MNESIA_BASE", self.path("data"))
            .env("RABBITMQ_LOG_BASE", self.path("log"))
            .env("RABBITMQ_PID_FILE", self.pid_file())
            .env("RABBITMQ_ENABLED_PLUGINS_FILE", self.path("plugins"))
            .env("RABBITMQ_CONFIG_FILE", self.path("node.conf"))
            // Busy waiting would take the processors from the tests.
            .env(
                "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS",
                "+sbwt none +sbwtdcpu none +sbwtdio none",
            );
        std::fs::write(self.path("plugins"), "[].").expect("a file in the node's directory");
        let node = Group::spawn(&command).expect("the node's script runs");
        *self.node.lock().expect("no test panicked with it") = Some(node);
        eventually("the node answers", START_DEADLINE, async || self.answers().await.ok()).await;
    }

    /// Runs `rabbitmqctl`.
    ///
    /// # Panics
    /// With its output when it fails.
    pub async fn ctl(&self, arguments: &[&str]) -> String {
        let command = self.script("rabbitmqctl");
        let output = tokio::process::Command::from(command)
            .args(["--longnames=false", "-n", &self.name])
            .args(arguments)
            .kill_on_drop(true)
            .output()
            .await
            .expect("rabbitmqctl runs");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert!(
            output.status.success(),
            "rabbitmqctl {arguments:?}: {}{}",
            text(&output.stdout),
            text(&output.stderr)
        );
        text(&output.stdout)
    }

    /// Evaluates Erlang on the node: one call where the tools need several.
    pub async fn eval(&self, expression: &str) -> String {
        self.ctl(&["eval", &format!("{expression}.")]).await
    }

    fn script(&self, name: &str) -> Command {
        let mut command = Command::new(Path::new(SCRIPTS).join(name));
        command
            .env("HOME", self.directory.path())
            .env("RABBITMQ_NODENAME", &self.name)
            .env("RABBITMQ_CONF_ENV_FILE", self.path("none"))
            // Else a node that ends badly leaves it where the test runs.
            .env("ERL_CRASH_DUMP", self.path("crash.dump"))
            .env("ERL_EPMD_PORT", self.names_port.to_string())
            .env("ERL_EPMD_ADDRESS", "127.0.0.1");
        command
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn pid_file(&self) -> PathBuf {
        self.path("pid")
    }

    /// Whether the node speaks AMQP: it answers the protocol header with a method frame.
    async fn answers(&self) -> io::Result<()> {
        let asked = async {
            let mut stream = TcpStream::connect(self.address()).await?;
            stream.write_all(PROTOCOL_HEADER).await?;
            match stream.read_u8().await? {
                1 => Ok(()),
                _ => Err(io::ErrorKind::InvalidData.into()),
            }
        };
        timeout(Duration::from_secs(2), asked)
            .await
            .unwrap_or(Err(io::ErrorKind::TimedOut.into()))
    }
}

fn tls_configuration(port: u16, files: &Path) -> String {
    let file = |name: &str| files.join(name).display().to_string();
    format!(
        "listeners.ssl.1 = 127.0.0.1:{port}\n\
         ssl_options.cacertfile = {}\n\
         ssl_options.certfile = {}\n\
         ssl_options.keyfile = {}\n\
         ssl_options.verify = verify_peer\n\
         ssl_options.fail_if_no_peer_cert = true\n",
        file("authority.pem"),
        file("broker.pem"),
        file("broker.key"),
    )
}

fn grant(user: &str, virtual_host: &str, rights: Rights<'_>) -> String {
    let Rights { configure, write, read } = rights;
    let quoted = |text: &str| format!("<<\"{}\">>", text.replace('\\', "\\\\"));
    format!(
        "rabbit_auth_backend_internal:set_permissions({}, {}, {}, {}, {}, <<\"test\">>)",
        quoted(user),
        quoted(virtual_host),
        quoted(configure),
        quoted(write),
        quoted(read)
    )
}

fn names_server(port: u16) -> io::Result<Group> {
    let mut command = Command::new("epmd");
    command.args(["-port", &port.to_string(), "-address", "127.0.0.1"]);
    Group::spawn(&command)
}
