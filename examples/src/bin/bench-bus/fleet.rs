//! Processes full of agents, and what they tell.

use std::process::Stdio;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, bail, ensure};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_util::task::TaskTracker;

use super::DEADLINE;

/// Told and not read yet.
const UNREAD: usize = 4_096;

/// Agents in processes of their own; they end when this is dropped.
#[derive(Debug)]
pub(crate) struct Fleet {
    _processes: Vec<Child>,
    told: mpsc::Receiver<String>,
    agents: usize,
}

impl Fleet {
    /// Starts as many agents in each process as `numbers` say, and waits until all of them hear.
    pub(crate) async fn start(server: &str, bus: &str, numbers: &[usize]) -> Result<Self> {
        let (tell, told) = mpsc::channel(UNREAD);
        let (mut processes, readers) = (Vec::new(), TaskTracker::new());
        for number in numbers {
            let mut process = Command::new(std::env::current_exe()?)
                .args(["agents", server, bus, &number.to_string()])
                .stdout(Stdio::piped())
                .kill_on_drop(true)
                .spawn()?;
            let mut lines = BufReader::new(process.stdout.take().context("no output")?).lines();
            ready(&mut lines).await?;
            let tell = tell.clone();
            readers.spawn(async move {
                while let Ok(Some(line)) = lines.next_line().await {
                    if tell.send(line).await.is_err() {
                        break;
                    }
                }
            });
            processes.push(process);
        }
        Ok(Self {
            _processes: processes,
            told,
            agents: numbers.iter().sum(),
        })
    }

    /// Waits until every agent has applied `round`; how long after `began` each had.
    pub(crate) async fn applied(&mut self, round: usize, began: SystemTime) -> Result<Vec<Duration>> {
        let mut took = Vec::with_capacity(self.agents);
        while took.len() < self.agents {
            let told = timeout(DEADLINE, self.told.recv()).await;
            let line = match told {
                Ok(line) => line.context("the agents have ended")?,
                Err(_) => bail!("{} of {} agents applied round {round}", took.len(), self.agents),
            };
            let (of, micros) = line.split_once(' ').context("a round and a time")?;
            if of == round.to_string() {
                let at = SystemTime::UNIX_EPOCH + Duration::from_micros(micros.parse()?);
                took.push(at.duration_since(began).unwrap_or_default());
            }
        }
        Ok(took)
    }
}

/// Waits until the process says that it is ready.
pub(crate) async fn ready(lines: &mut Lines<BufReader<ChildStdout>>) -> Result<()> {
    let said = timeout(DEADLINE, lines.next_line())
        .await
        .context("it was not ready in time")??;
    ensure!(said.as_deref() == Some("ready"), "it did not start");
    Ok(())
}
