//! The bare fanout, a process of its own.

use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

use super::DEADLINE;
use super::fleet::ready;

/// `raw_fanout`, which is built beside this program.
#[derive(Debug)]
pub(crate) struct RawFanout {
    _process: Child,
    ask: ChildStdin,
    told: Lines<BufReader<ChildStdout>>,
}

impl RawFanout {
    pub(crate) async fn start(port: u16, queues: usize) -> Result<Self> {
        let program = std::env::current_exe()?.with_file_name("examples").join("raw_fanout");
        let mut process = Command::new(program)
            .args([port.to_string(), queues.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("raw_fanout is not built: cargo build --release -p bus --example raw_fanout")?;
        let ask = process.stdin.take().context("no input")?;
        let mut told = BufReader::new(process.stdout.take().context("no output")?).lines();
        ready(&mut told).await?;
        Ok(Self {
            _process: process,
            ask,
            told,
        })
    }

    /// Publishes once; how long it took to each consumer.
    pub(crate) async fn publish(&mut self) -> Result<Vec<Duration>> {
        self.ask.write_all(b"\n").await?;
        let told = timeout(DEADLINE, self.told.next_line())
            .await
            .context("not heard in time")??;
        let line = told.context("the bare fanout has ended")?;
        let micros = line.split(' ').map(|micros| Ok(Duration::from_micros(micros.parse()?)));
        micros.collect()
    }
}
