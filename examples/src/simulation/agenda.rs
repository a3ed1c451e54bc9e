//! What happens next: a queue of happenings by virtual time. Equal times keep their order, so a seed
//! always plays the same.

use std::collections::BTreeMap;

/// Milliseconds since the beginning.
pub type Millis = u64;

/// Happenings that are still to come.
#[derive(Debug)]
pub struct Agenda<T> {
    now: Millis,
    order: u64,
    queue: BTreeMap<(Millis, u64), T>,
}

impl<T> Agenda<T> {
    /// Nothing is planned, and no time has passed.
    #[must_use]
    pub fn new() -> Self {
        Self {
            now: 0,
            order: 0,
            queue: BTreeMap::new(),
        }
    }

    /// How much time has passed.
    #[must_use]
    pub fn now(&self) -> Millis {
        self.now
    }

    /// `happening` is to come `after` so many milliseconds.
    pub fn plan(&mut self, after: Millis, happening: T) {
        self.order += 1;
        self.queue.insert((self.now + after, self.order), happening);
    }

    /// The next happening, when it comes before `end`; its time is the time now.
    pub fn next_before(&mut self, end: Millis) -> Option<T> {
        let entry = self.queue.first_entry()?;
        let at = entry.key().0;
        if at >= end {
            return None;
        }
        self.now = at;
        Some(entry.remove())
    }
}

impl<T> Default for Agenda<T> {
    fn default() -> Self {
        Self::new()
    }
}
