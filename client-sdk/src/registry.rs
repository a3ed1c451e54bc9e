//! Every slot of one client, and the configuration they are bound from.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use bus_agent::{Applier, Configuration, KeysChanged, Veto};

use crate::error::Error;
use crate::listeners::{Change, Listeners};
use crate::slot::{Prepare, Prepared};

/// Shared by the client's handles and the agent's task.
#[derive(Default)]
pub(crate) struct Registry {
    bindings: Mutex<Bindings>,
    listeners: Listeners<Configuration>,
}

#[derive(Default)]
struct Bindings {
    configuration: Option<Arc<Configuration>>,
    slots: Vec<Weak<dyn Prepare>>,
}

/// Makes a configuration live in every slot, or in none.
pub(crate) struct Bound(pub(crate) Arc<Registry>);

impl Registry {
    /// Makes a slot of what is live and keeps it current from then on. No change can fall between
    /// the two.
    pub(crate) fn register<S: Prepare + 'static>(
        &self,
        make: impl FnOnce(&Configuration) -> Result<S, Error>,
    ) -> Result<Arc<S>, Error> {
        let mut bindings = self.lock();
        let slot = Arc::new(make(&bindings.configuration())?);
        let known: Arc<dyn Prepare> = slot.clone();
        bindings.slots.push(Arc::downgrade(&known));
        Ok(slot)
    }

    pub(crate) fn configuration(&self) -> Arc<Configuration> {
        self.lock().configuration()
    }

    pub(crate) fn listeners(&self) -> &Listeners<Configuration> {
        &self.listeners
    }

    fn apply(&self, new: &Arc<Configuration>, changed: &KeysChanged) -> Result<(), Veto> {
        let mut bindings = self.lock();
        let prepared = bindings.prepare(new, changed).map_err(Veto::refused)?;
        let (old, prepared) = bindings.swap(new, prepared);
        // Whoever is woken may register, so the lock is free by then.
        drop(bindings);
        for prepared in prepared {
            prepared.wake();
        }
        if !changed.is_empty() {
            self.listeners.call(&Change::new(old, Arc::clone(new), changed.clone()));
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Bindings> {
        // What can panic under the lock is caught there, or changes nothing before it does.
        self.bindings.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Bindings {
    fn configuration(&self) -> Arc<Configuration> {
        self.configuration
            .clone()
            .unwrap_or_else(|| Arc::new(Configuration::empty()))
    }

    /// Prepares every slot that is still watched. Every refusal is named, not only the first.
    fn prepare(&mut self, new: &Configuration, changed: &KeysChanged) -> Result<Vec<Box<dyn Prepared>>, String> {
        self.slots.retain(|slot| slot.strong_count() > 0);
        let mut prepared = Vec::new();
        let mut refusals = Vec::new();
        for slot in self.slots.iter().filter_map(Weak::upgrade) {
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

    fn swap(
        &mut self,
        new: &Arc<Configuration>,
        mut prepared: Vec<Box<dyn Prepared>>,
    ) -> (Arc<Configuration>, Vec<Box<dyn Prepared>>) {
        let old = self.configuration();
        for prepared in &mut prepared {
            prepared.swap();
        }
        self.configuration = Some(Arc::clone(new));
        (old, prepared)
    }
}

impl Applier for Bound {
    async fn apply(&mut self, new: &Arc<Configuration>, changed: &KeysChanged) -> Result<(), Veto> {
        self.0.apply(new, changed)
    }
}
