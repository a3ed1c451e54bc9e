//! The log of the whole process, looked through for what must not be in it.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use tracing_subscriber::EnvFilter;

/// The log while it is looked through.
pub(super) struct Log(Arc<Mutex<Kept>>);

/// What the log told.
#[derive(Debug, Clone, Default)]
pub(super) struct Kept {
    /// Lines about what is looked at.
    pub(super) seen: usize,
    /// Lines with a secret.
    pub(super) leaks: Vec<String>,
}

struct Watcher {
    witnesses: &'static [&'static str],
    secrets: &'static [&'static str],
    kept: Arc<Mutex<Kept>>,
}

/// Starts to look, once per process: every level of our own crates, and what others warn about.
pub(super) fn keep(witnesses: &'static [&'static str], secrets: &'static [&'static str]) -> Log {
    let kept = Arc::<Mutex<Kept>>::default();
    let watched = Arc::clone(&kept);
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new("debug,config_server=trace,bus=trace"))
        .with_ansi(false)
        .with_writer(move || Watcher {
            witnesses,
            secrets,
            kept: Arc::clone(&watched),
        })
        .init();
    Log(kept)
}

impl Log {
    pub(super) fn kept(&self) -> Kept {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Write for Watcher {
    /// Gets one line at a time.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(line);
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.seen += usize::from(self.witnesses.iter().any(|witness| text.contains(witness)));
        if self.secrets.iter().any(|secret| text.contains(secret)) {
            kept.leaks.push(text.into_owned());
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
