//! A value that is always current.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use thiserror::Error;
use tokio::sync::watch;

use crate::client::ConfigClient;
use crate::listeners::{Change, Listener};
use crate::slot::Slot;

/// A value of type `T` that follows the configuration.
///
/// [`Watch::get`] is a pointer load; [`Watch::changed`] waits for the next real change. A watch
/// keeps its client running.
///
/// ```no_run
/// # use client_sdk::{ConfigClient, Watch};
/// # #[derive(serde::Deserialize)] struct Pool { max_pool_size: u16 }
/// # async fn example(client: ConfigClient) -> Result<(), Box<dyn std::error::Error>> {
/// let mut pool: Watch<Pool> = client.watch("db")?;
/// loop {
///     println!("up to {} connections", pool.get().max_pool_size);
///     pool.changed().await?;
/// }
/// # }
/// ```
#[must_use = "a watch is current only while it is kept"]
pub struct Watch<T> {
    slot: Arc<Slot<T>>,
    seen: watch::Receiver<u64>,
    client: ConfigClient,
}

/// A value as it was when it was got. Keep it for a moment, not for long: it keeps the old value
/// alive.
pub struct Current<T>(arc_swap::Guard<Arc<T>>);

/// The client was closed: the value will not change again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the configuration client was closed")]
pub struct Closed;

impl<T: DeserializeOwned + Send + Sync + 'static> Watch<T> {
    pub(crate) fn new(slot: Arc<Slot<T>>, client: ConfigClient) -> Self {
        Self {
            seen: slot.versions(),
            slot,
            client,
        }
    }

    /// The value now.
    #[must_use]
    pub fn get(&self) -> Current<T> {
        Current(self.slot.current().load())
    }

    /// The value now, to keep.
    #[must_use]
    pub fn to_arc(&self) -> Arc<T> {
        self.slot.current().load_full()
    }

    /// Waits until the value is another than at the last call (or than when the watch was made).
    /// Changes that come close together may wake once. Cancel safe.
    ///
    /// # Errors
    /// [`Closed`] when the client was closed.
    pub async fn changed(&mut self) -> Result<(), Closed> {
        tokio::select! {
            changed = self.seen.changed() => changed.map_err(|_| Closed),
            () = self.client.closed() => Err(Closed),
        }
    }

    /// Calls `listener` after every real change, on the client's task: it should be quick.
    pub fn on_change(&self, listener: impl Fn(&Change<T>) + Send + Sync + 'static) -> Listener {
        self.slot.listeners().add(listener)
    }

    /// The client it belongs to.
    #[must_use]
    pub fn client(&self) -> &ConfigClient {
        &self.client
    }
}

impl<T> Clone for Watch<T> {
    fn clone(&self) -> Self {
        Self {
            slot: Arc::clone(&self.slot),
            seen: self.seen.clone(),
            client: self.client.clone(),
        }
    }
}

impl<T> fmt::Debug for Watch<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch")
            .field("type", &std::any::type_name::<T>())
            .finish_non_exhaustive()
    }
}

impl<T> Deref for Current<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: fmt::Debug> fmt::Debug for Current<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
