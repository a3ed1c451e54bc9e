//! Server, broker, remote and agents, and the roads between them that faults close.

use std::collections::BTreeSet;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use bus_agent::Bus;
use contract::headers;
use test_support::git::GitHttp;
use test_support::{Broker, FaultProxy, SmallDisk, Weather, within};
use tokio::time::sleep;

use crate::stage::{Applied, Configurations, DEADLINE, Follower, Server, Sidecar};

/// How long a fault is held that shows nowhere.
const HELD: Duration = Duration::from_secs(2);
/// Room for a journal, and for what an agent remembers.
const SMALL: u32 = 1024;

/// What a fault needs of its scene.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Needs {
    /// A broker that nobody else uses: the fault hits all of it.
    pub own_broker: bool,
    /// How many servers take turns behind the one address that agents know.
    pub servers: usize,
    /// What is kept on a small disk.
    pub small_disk: Option<Kept>,
}

/// What can be on the small disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// The server's journal.
    Journal,
    /// The sidecar's last known good.
    LastKnownGood,
}

impl Needs {
    /// One server on the common broker.
    pub const LITTLE: Self = Self {
        own_broker: false,
        servers: 1,
        small_disk: None,
    };
    /// A broker to break.
    pub const BROKER: Self = Self {
        own_broker: true,
        ..Self::LITTLE
    };
}

/// A server, and its roads to the remote and to the broker.
#[derive(Debug)]
pub struct Node {
    /// The server.
    pub server: Server,
    /// From the server to the git remote.
    pub to_remote: FaultProxy,
    /// From the server to the broker.
    pub to_broker: FaultProxy,
    mirrors: PathBuf,
}

/// Everything one run plays on. Dropping it ends all of it.
#[derive(Debug)]
pub struct Scene {
    /// The broker.
    pub broker: Arc<Broker>,
    /// The scene's own part of it.
    pub virtual_host: String,
    /// The repository.
    pub configurations: Configurations,
    /// What serves the repository.
    pub remote: GitHttp,
    /// The servers, one unless the fault needs more.
    pub nodes: Vec<Node>,
    /// From agents to the servers.
    pub to_servers: FaultProxy,
    /// From agents to the broker.
    pub to_broker: FaultProxy,
    /// Agents that hear over the broker.
    pub over_broker: Vec<Follower>,
    /// Agents that hear from the server.
    pub over_events: Vec<Follower>,
    /// An agent in a process of its own, which hears over the broker.
    pub sidecar: Sidecar,
    /// Agents that were killed: their silence is explained.
    pub killed: usize,
    /// The small disk, when the fault needs one.
    pub disk: Option<SmallDisk>,
}

impl Node {
    async fn start(scene: &Backdrop<'_>, journal: Option<&SmallDisk>) -> Result<Self> {
        let to_remote = FaultProxy::start(local(scene.remote.port())).await;
        let to_broker = FaultProxy::start(scene.broker.address()).await;
        let mirrors = scene.configurations.repository().root().join("mirrors");
        let mirrors = mirrors.join(to_remote.address().port().to_string());
        let mut settings = Server::over_amqp(to_broker.address().port(), scene.virtual_host);
        settings.extend([
            "--spring.cloud.config.server.git.refresh-rate=1".to_owned(),
            "--spring.cloud.config.server.git.timeout=2".to_owned(),
            format!("--spring.cloud.config.server.git.basedir={}", mirrors.display()),
            "--management.endpoints.web.exposure.include=*".to_owned(),
        ]);
        if let Some(disk) = journal {
            settings.push(format!("--data-dir={}", disk.path().display()));
        }
        let uri = scene.remote.uri().replace(
            &scene.remote.port().to_string(),
            &to_remote.address().port().to_string(),
        );
        Ok(Self {
            server: Server::start(&uri, &settings).await?,
            to_remote,
            to_broker,
            mirrors,
        })
    }

    /// The server's copy of the remote.
    ///
    /// # Errors
    /// When there is none.
    pub fn mirror(&self) -> Result<PathBuf> {
        let mut found = fs::read_dir(&self.mirrors).context("the mirrors")?;
        Ok(found.next().context("a mirror")??.path())
    }

    /// Waits until the server says that its remote is away.
    ///
    /// # Errors
    /// When it has not noticed in time.
    pub async fn misses_its_remote(&self) -> Result<()> {
        within("the server misses its remote", DEADLINE, async || {
            self.server.header(headers::STALE).await.map(drop)
        })
        .await
    }

    /// Waits until the server says whether the broker takes its events.
    ///
    /// # Errors
    /// When it has not noticed in time.
    pub async fn is_connected(&self, wanted: bool) -> Result<()> {
        let wanted = f64::from(u8::from(wanted));
        within("the server's own view of its bus", DEADLINE, async || {
            (self.server.metric("bus_connected").await? - wanted)
                .abs()
                .lt(&0.5)
                .then_some(())
        })
        .await
    }
}

/// What stands before the first server does.
struct Backdrop<'a> {
    broker: &'a Broker,
    virtual_host: &'a str,
    configurations: &'a Configurations,
    remote: &'a GitHttp,
}

impl Scene {
    /// Sets everything up on `broker`, and waits until everybody runs the first commit and hears.
    ///
    /// # Errors
    /// When that does not come about in time.
    pub async fn set(needs: Needs, broker: Arc<Broker>) -> Result<Self> {
        let configurations = Configurations::new()?;
        let remote = GitHttp::start(configurations.repository()).await?;
        let virtual_host = broker.virtual_host().await;
        let disk = needs.small_disk.map(|_| SmallDisk::mount(SMALL)).transpose()?;
        let on_disk = |kept| disk.as_ref().filter(|_| needs.small_disk == Some(kept));
        let backdrop = Backdrop {
            broker: &broker,
            virtual_host: &virtual_host,
            configurations: &configurations,
            remote: &remote,
        };
        let mut nodes = Vec::new();
        for _ in 0..needs.servers {
            nodes.push(Node::start(&backdrop, on_disk(Kept::Journal)).await?);
        }
        let ports = nodes.iter().map(|node| local(node.server.port()));
        let to_servers = FaultProxy::alternating(ports.collect()).await;
        let to_broker = FaultProxy::start(broker.address()).await;
        let server = format!("http://{}", to_servers.address());
        let bus = format!("amqp://guest:guest@{}/{virtual_host}", to_broker.address());
        let over_broker = vec![
            Follower::start(&server, Bus::amqp(&bus)?).await?,
            Follower::start(&server, Bus::amqp(&bus)?).await?,
        ];
        let over_events = vec![Follower::start(&server, Bus::Embedded).await?];
        let memory = on_disk(Kept::LastKnownGood).map(SmallDisk::path);
        let sidecar = Sidecar::start(&server, &bus, memory).await?;
        let scene = Self {
            virtual_host,
            configurations,
            remote,
            nodes,
            to_servers,
            to_broker,
            over_broker,
            over_events,
            sidecar,
            killed: 0,
            disk,
            broker,
        };
        within("the servers know every agent", DEADLINE, async || {
            scene.are_known().await.then_some(())
        })
        .await?;
        Ok(scene)
    }

    async fn are_known(&self) -> bool {
        let mut known = BTreeSet::new();
        for node in &self.nodes {
            let agents = node.server.agents().await.unwrap_or_default();
            known.extend(agents.into_iter().map(|agent| agent.bus_id.to_string()));
        }
        // The sidecar's name is its own affair.
        known.len() > self.followers().count()
    }

    /// The first server.
    #[must_use]
    pub fn server(&self) -> &Server {
        &self.nodes[0].server
    }

    /// The agents in this process.
    pub fn followers(&self) -> impl Iterator<Item = &Follower> {
        self.over_broker.iter().chain(&self.over_events)
    }

    /// What each agent made live.
    #[must_use]
    pub fn histories(&self) -> Vec<Vec<Applied>> {
        let mut histories: Vec<_> = self.followers().map(Follower::history).collect();
        histories.push(self.sidecar.history());
        histories
    }

    /// What each agent runs.
    #[must_use]
    pub fn running(&self) -> Vec<Option<String>> {
        let mut running: Vec<_> = self.followers().map(Follower::commit).collect();
        running.push(self.sidecar.commit());
        running
    }

    /// Whether everybody runs what everybody should.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        let current = &self.configurations.current().commit;
        self.running().iter().all(|commit| commit.as_ref() == Some(current))
    }

    /// Waits until the first server serves what everybody should run.
    ///
    /// # Errors
    /// When it does not in time.
    pub async fn is_served(&self) -> Result<()> {
        self.server().serves(&self.configurations.current().commit).await
    }

    /// Waits until those who hear over the broker have noticed that they do not.
    ///
    /// # Errors
    /// When they have not in time.
    pub async fn broker_is_missed(&self) -> Result<()> {
        for follower in &self.over_broker {
            follower.is_deaf().await?;
        }
        Ok(())
    }

    /// Cuts a road and lets nobody onto it.
    pub fn close(road: &FaultProxy) {
        road.set(Weather::Closed);
        road.cut();
    }

    /// Goes on with a fault that shows nowhere.
    pub async fn hold(&self) {
        sleep(HELD).await;
    }
}

fn local(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}
