//! One bound value: what it is now, and how it becomes what it will be.
//!
//! A change goes through every slot in three steps, so that several values swap together: all are
//! prepared (bound and validated; one refusal ends it), then all are swapped, then all who wait are
//! woken.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use bus_agent::{Configuration, KeysChanged};
use serde::de::DeserializeOwned;
use tokio::sync::watch;

use crate::bind::{Bound, Reading, bind};
use crate::error::Error;
use crate::listeners::{Change, Listeners};

/// Says why a bound value is not acceptable.
pub(crate) type Validator<T> = Box<dyn Fn(&T) -> Result<(), String> + Send + Sync>;

/// One bound value.
pub(crate) struct Slot<T> {
    prefix: String,
    validator: Option<Validator<T>>,
    current: ArcSwap<T>,
    reading: Mutex<Reading>,
    /// Counts the real changes.
    version: watch::Sender<u64>,
    listeners: Listeners<T>,
}

/// What the registry knows of a slot.
pub(crate) trait Prepare: Send + Sync {
    /// Binds and validates. `None` when the value stays the same.
    ///
    /// The error is what a report may say.
    fn prepare(
        self: Arc<Self>,
        new: &Configuration,
        changed: &KeysChanged,
    ) -> Result<Option<Box<dyn Prepared>>, String>;
}

/// A value that is bound and valid, and not live yet.
pub(crate) trait Prepared {
    fn swap(&mut self);
    fn wake(self: Box<Self>);
}

struct Next<T> {
    slot: Arc<Slot<T>>,
    bound: Option<Bound<Arc<T>>>,
    keys: KeysChanged,
    swapped: Option<(Arc<T>, Arc<T>)>,
}

impl<T: DeserializeOwned + Send + Sync + 'static> Slot<T> {
    /// Binds the first value.
    pub(crate) fn new(
        configuration: &Configuration,
        prefix: &str,
        validator: Option<Validator<T>>,
    ) -> Result<Self, Error> {
        let Bound { value, reading } = bind::<T>(configuration, prefix)?;
        if let Some(validator) = &validator {
            validator(&value).map_err(|reason| Error::refused(prefix, &reason))?;
        }
        Ok(Self {
            prefix: prefix.to_owned(),
            validator,
            current: ArcSwap::from_pointee(value),
            reading: Mutex::new(reading),
            version: watch::Sender::new(0),
            listeners: Listeners::default(),
        })
    }

    pub(crate) fn current(&self) -> &ArcSwap<T> {
        &self.current
    }

    pub(crate) fn versions(&self) -> watch::Receiver<u64> {
        self.version.subscribe()
    }

    pub(crate) fn listeners(&self) -> &Listeners<T> {
        &self.listeners
    }

    /// Binds what is different from what was read before.
    fn bind_anew(&self, new: &Configuration) -> Result<Option<Bound<T>>, String> {
        let bound = bind::<T>(new, &self.prefix).map_err(|error| error.reason())?;
        if bound.reading == *self.reading.lock().unwrap_or_else(PoisonError::into_inner) {
            return Ok(None);
        }
        if let Some(validator) = &self.validator {
            validator(&bound.value).map_err(|reason| format!("`{}`: {reason}", self.prefix))?;
        }
        Ok(Some(bound))
    }
}

impl<T: DeserializeOwned + Send + Sync + 'static> Prepare for Slot<T> {
    fn prepare(
        self: Arc<Self>,
        new: &Configuration,
        changed: &KeysChanged,
    ) -> Result<Option<Box<dyn Prepared>>, String> {
        let keys = changed.under(&self.prefix);
        if keys.is_empty() {
            return Ok(None);
        }
        // The code of types and validators is not ours.
        let bound = catch_unwind(AssertUnwindSafe(|| self.bind_anew(new)))
            .unwrap_or_else(|_| Err(format!("`{}`: binding or validating it panicked", self.prefix)))?;
        Ok(bound.map(|Bound { value, reading }| {
            Box::new(Next {
                slot: self,
                bound: Some(Bound {
                    value: Arc::new(value),
                    reading,
                }),
                keys,
                swapped: None,
            }) as Box<dyn Prepared>
        }))
    }
}

impl<T: Send + Sync + 'static> Prepared for Next<T> {
    fn swap(&mut self) {
        let Some(Bound { value, reading }) = self.bound.take() else {
            return;
        };
        let old = self.slot.current.swap(Arc::clone(&value));
        *self.slot.reading.lock().unwrap_or_else(PoisonError::into_inner) = reading;
        self.swapped = Some((old, value));
    }

    fn wake(self: Box<Self>) {
        if let Some((old, new)) = self.swapped {
            self.slot.version.send_modify(|version| *version += 1);
            self.slot.listeners.call(&Change::new(old, new, self.keys));
        }
    }
}
