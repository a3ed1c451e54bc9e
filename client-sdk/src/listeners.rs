//! Functions that are called after a change.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use bus_agent::KeysChanged;
use tracing::error;

/// A value before and after, and the keys that differ.
#[non_exhaustive]
pub struct Change<T> {
    /// The value before.
    pub old: Arc<T>,
    /// The value that is live now.
    pub new: Arc<T>,
    /// The keys that differ, as they are written.
    pub keys: KeysChanged,
}

/// Keeps a listener; dropping it ends the calls.
#[derive(Debug)]
#[must_use = "a listener is called only while this is kept"]
pub struct Listener {
    _kept: Arc<dyn Kept>,
}

type Callback<T> = dyn Fn(&Change<T>) + Send + Sync;

/// The listeners of one value.
pub(crate) struct Listeners<T>(Mutex<Vec<Weak<Holder<T>>>>);

struct Holder<T>(Box<Callback<T>>);

trait Kept: Send + Sync + fmt::Debug {}

impl<T> Change<T> {
    pub(crate) fn new(old: Arc<T>, new: Arc<T>, keys: KeysChanged) -> Self {
        Self { old, new, keys }
    }
}

impl<T> fmt::Debug for Change<T> {
    /// The keys alone: values may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Change")
            .field("keys", &self.keys)
            .finish_non_exhaustive()
    }
}

impl<T: 'static> Listeners<T> {
    pub(crate) fn add(&self, callback: impl Fn(&Change<T>) + Send + Sync + 'static) -> Listener {
        let holder = Arc::new(Holder(Box::new(callback)));
        self.lock().push(Arc::downgrade(&holder));
        Listener { _kept: holder }
    }

    /// Calls every listener. One that panics is logged and does not keep the others from being
    /// called.
    pub(crate) fn call(&self, change: &Change<T>) {
        let listening: Vec<_> = {
            let mut holders = self.lock();
            holders.retain(|holder| holder.strong_count() > 0);
            holders.iter().filter_map(Weak::upgrade).collect()
        };
        for holder in listening {
            if catch_unwind(AssertUnwindSafe(|| (holder.0)(change))).is_err() {
                error!("a listener panicked");
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Weak<Holder<T>>>> {
        // A list is whole at any time, whoever panicked.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Default for Listeners<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T> Kept for Holder<T> {}

impl<T> fmt::Debug for Holder<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Holder")
    }
}
