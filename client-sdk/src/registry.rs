//! Every slot of one client, and the configuration they are bound from.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use arc_swap::ArcSwap;
use bus_agent::{Applier, Configuration, KeysChanged, Veto};

use crate::error::Error;
use crate::listeners::{Change, Listeners};
use crate::slot::{Prepare, Prepared};

/// Shared by the client's handles and the agent's task.
pub(crate) struct Registry {
    /// Read without the lock: a validator may ask its client, and it runs under the lock.
    configuration: ArcSwap<Configuration>,
    slots: Mutex<Slots>,
    listeners: Listeners<Configuration>,
}

#[derive(Default)]
struct Slots(Vec<Weak<dyn Prepare>>);

/// Makes a configuration live in every slot, or in none.
pub(crate) struct Bound(pub(crate) Arc<Registry>);

impl Registry {
    /// Makes a slot of what is live and keeps it current from then on. No change can fall between
    /// the two.
    pub(crate) fn register<S: Prepare + 'static>(
        &self,
        make: impl FnOnce(&Configuration) -> Result<S, Error>,
    ) -> Result<Arc<S>, Error> {
        let mut slots = self.lock();
        let slot = Arc::new(make(&self.configuration())?);
        let known: Arc<dyn Prepare> = slot.clone();
        slots.0.push(Arc::downgrade(&known));
        Ok(slot)
    }

    pub(crate) fn configuration(&self) -> Arc<Configuration> {
        self.configuration.load_full()
    }

    pub(crate) fn listeners(&self) -> &Listeners<Configuration> {
        &self.listeners
    }

    fn apply(&self, new: &Arc<Configuration>, changed: &KeysChanged) -> Result<(), Veto> {
        let mut slots = self.lock();
        let mut prepared = slots.prepare(new, changed).map_err(Veto::refused)?;
        for prepared in &mut prepared {
            prepared.swap();
        }
        let old = self.configuration.swap(Arc::clone(new));
        // Whoever is woken may register, so the lock is free by then.
        drop(slots);
        for prepared in prepared {
            prepared.wake();
        }
        if !changed.is_empty() {
            self.listeners.call(&Change::new(old, Arc::clone(new), changed.clone()));
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Slots> {
        // What can panic under the lock is caught there, or changes nothing before it does.
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Registry {
    fn default() -> Self {
        Self {
            configuration: ArcSwap::from_pointee(Configuration::empty()),
            slots: Mutex::default(),
            listeners: Listeners::default(),
        }
    }
}

impl Slots {
    /// Prepares every slot that is still watched. Every refusal is named, not only the first.
    fn prepare(&mut self, new: &Configuration, changed: &KeysChanged) -> Result<Vec<Box<dyn Prepared>>, String> {
        self.0.retain(|slot| slot.strong_count() > 0);
        let mut prepared = Vec::new();
        let mut refusals = Vec::new();
        for slot in self.0.iter().filter_map(Weak::upgrade) {
            match slot.prepare(new, changed) {
                Ok(next) => prepared.extend(next),
                Err(refusal) => refusals.push(refusal),
            }
        }
        if refusals.is_empty() {
            Ok(prepared)
        } else {
            Err(refusals.join("; "))
        }
    }
}

impl Applier for Bound {
    async fn apply(&mut self, new: &Arc<Configuration>, changed: &KeysChanged) -> Result<(), Veto> {
        self.0.apply(new, changed)
    }
}
