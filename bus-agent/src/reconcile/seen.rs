//! The events that were heard already.

use std::collections::{HashSet, VecDeque};
use std::time::Duration;

use contract::EventId;

/// How many ids are remembered at most, and for how long (spring-cloud-bus contract 7.2).
const CAPACITY: usize = 10_000;
const LIFETIME: Duration = Duration::from_secs(15 * 60);

/// Bounded memory of event ids, oldest forgotten first.
#[derive(Debug, Default)]
pub(super) struct SeenEvents {
    heard: HashSet<EventId>,
    order: VecDeque<(Duration, EventId)>,
}

impl SeenEvents {
    /// Remembers `id`; false when it was remembered already.
    pub(super) fn note(&mut self, now: Duration, id: &EventId) -> bool {
        self.forget_old(now);
        if !self.heard.insert(id.clone()) {
            return false;
        }
        self.order.push_back((now, id.clone()));
        true
    }

    fn forget_old(&mut self, now: Duration) {
        while let Some((at, _)) = self.order.front() {
            if self.order.len() < CAPACITY && now.saturating_sub(*at) < LIFETIME {
                break;
            }
            if let Some((_, id)) = self.order.pop_front() {
                self.heard.remove(&id);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_new_once_until_its_lifetime_is_over() {
        let mut seen = SeenEvents::default();
        let id = EventId::received("e1");
        assert!(seen.note(Duration::ZERO, &id));
        assert!(!seen.note(Duration::from_secs(60), &id));
        assert!(seen.note(LIFETIME, &id));
    }

    #[test]
    fn the_memory_is_bounded() {
        let mut seen = SeenEvents::default();
        for n in 0..CAPACITY + 5 {
            assert!(seen.note(Duration::ZERO, &EventId::received(&n.to_string())));
        }
        assert_eq!(seen.order.len(), CAPACITY);
        assert_eq!(seen.heard.len(), CAPACITY);
        assert!(seen.note(Duration::ZERO, &EventId::received("0")));
    }
}
