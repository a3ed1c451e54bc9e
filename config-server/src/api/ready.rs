//! Replies given a moment ago, found again by the request as it came.
//!
//! A fleet asks the same few things over and over. While nothing moved in the store, and for a
//! second at most, such a request is answered by one look-up of its bytes: nothing is parsed, no
//! view is taken. The second keeps the store informed of which labels are in use, and makes a remote
//! that went away show.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use contract::headers::AT_LEAST;
use http::{HeaderMap, HeaderName, Uri, header};
use tokio::time::Instant;

use super::reply::Reply;

/// How long a reply is given again without asking the store.
const LASTS: Duration = Duration::from_secs(1);
/// Longer requests are rare, and take the long way.
const LONGEST: usize = 384;

/// Replies by the requests they answered, bounded by bytes.
#[derive(Debug)]
pub struct ReadyReplies {
    kept: RwLock<Kept>,
    most_bytes: usize,
}

/// What tells one request from another, as it came.
#[derive(Debug, Clone, Copy)]
pub struct Asked {
    bytes: [u8; LONGEST],
    length: usize,
}

#[derive(Debug, Default)]
struct Kept {
    replies: HashMap<Box<[u8]>, Ready>,
    bytes: usize,
}

#[derive(Debug)]
struct Ready {
    /// Of the store, when the reply was made.
    generation: u64,
    until: Instant,
    reply: Arc<Reply>,
}

impl Asked {
    /// The path, the query and the headers that decide; `None` for a request that is not like
    /// others.
    #[must_use]
    pub fn of(uri: &Uri, headers: &HeaderMap) -> Option<Self> {
        if headers.contains_key(AT_LEAST) {
            return None;
        }
        let mut asked = Self {
            bytes: [0; LONGEST],
            length: 0,
        };
        asked.add(uri.path().as_bytes())?;
        asked.add(uri.query().unwrap_or_default().as_bytes())?;
        asked.add(only(headers, &header::ACCEPT)?)?;
        asked.add(only(headers, &header::ACCEPT_CHARSET)?)?;
        Some(asked)
    }

    /// Parts end with a byte that none of them can hold.
    fn add(&mut self, part: &[u8]) -> Option<()> {
        let end = self.length + part.len();
        self.bytes.get_mut(self.length..end)?.copy_from_slice(part);
        *self.bytes.get_mut(end)? = b'\n';
        self.length = end + 1;
        Some(())
    }

    fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

/// The one value of a header, empty when there is none; `None` when there are several.
fn only<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h [u8]> {
    let mut values = headers.get_all(name).iter();
    let first = values.next().map_or(&[][..], |value| value.as_bytes());
    values.next().is_none().then_some(first)
}

impl ReadyReplies {
    /// Keeps up to `most_bytes`.
    #[must_use]
    pub fn new(most_bytes: usize) -> Self {
        Self {
            kept: RwLock::default(),
            most_bytes,
        }
    }

    /// The reply to the same request, while the store still is at `generation`.
    #[must_use]
    pub fn find(&self, asked: &Asked, generation: u64, now: Instant) -> Option<Arc<Reply>> {
        let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
        let ready = kept.replies.get(asked.as_bytes())?;
        let lasts = ready.generation == generation && now < ready.until;
        lasts.then(|| Arc::clone(&ready.reply))
    }

    /// Keeps `reply`, which was made after `generation` was read.
    pub fn keep(&self, asked: &Asked, generation: u64, now: Instant, reply: Arc<Reply>) {
        if !reply.lasts() || reply.weight() > self.most_bytes / 16 {
            return;
        }
        let mut kept = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        // Full: what is asked for often is soon there again.
        if kept.bytes > self.most_bytes {
            *kept = Kept::default();
        }
        kept.bytes += reply.weight();
        let ready = Ready {
            generation,
            until: now + LASTS,
            reply,
        };
        if let Some(before) = kept.replies.insert(asked.as_bytes().into(), ready) {
            kept.bytes -= before.reply.weight();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::{Answer, Served};
    use http::HeaderValue;

    fn reply(stale: Option<Duration>) -> Arc<Reply> {
        let answer = Answer {
            body: "a: 1\n".into(),
            tag: HeaderValue::from_static("\"abc\""),
            version: None,
            held: None,
            modified: None,
        };
        let served = Served {
            answer: Arc::new(answer),
            moved: None,
            label: None,
            stale,
        };
        Arc::new(Reply::new(&served, "text/plain"))
    }

    fn asked(path: &'static str, accept: &'static str) -> Asked {
        let headers = HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static(accept))]);
        Asked::of(&Uri::from_static(path), &headers).expect("a usual request")
    }

    #[test]
    fn a_reply_is_found_while_the_store_stands_still_and_for_a_second() {
        let (ready, now) = (ReadyReplies::new(1 << 20), Instant::now());
        let request = asked("/orders/dev", "*/*");
        ready.keep(&request, 7, now, reply(None));
        assert!(ready.find(&request, 7, now).is_some());
        assert!(ready.find(&request, 8, now).is_none());
        assert!(ready.find(&request, 7, now + LASTS).is_none());
        assert!(ready.find(&asked("/orders/dev", "text/plain"), 7, now).is_none());
        assert!(ready.find(&asked("/orders/dev?a", "*/*"), 7, now).is_none());
    }

    #[test]
    fn what_says_how_stale_it_is_is_not_said_again() {
        let (ready, now) = (ReadyReplies::new(1 << 20), Instant::now());
        let request = asked("/orders/dev", "*/*");
        ready.keep(&request, 7, now, reply(Some(Duration::from_secs(3))));
        assert!(ready.find(&request, 7, now).is_none());
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let (ready, now) = (ReadyReplies::new(10_000), Instant::now());
        for port in 0..1000 {
            let uri: Uri = format!("/orders/{port}").parse().expect("a path");
            let request = Asked::of(&uri, &HeaderMap::new()).expect("a usual request");
            ready.keep(&request, 0, now, reply(None));
        }
        let kept = ready.kept.read().expect("nobody panicked");
        assert!(kept.replies.len() <= 20 && kept.bytes <= 11_000, "{}", kept.bytes);
    }

    #[test]
    fn unusual_requests_take_the_long_way() {
        let uri = Uri::from_static("/orders/dev");
        let at_least = HeaderMap::from_iter([(HeaderName::from_static(AT_LEAST), HeaderValue::from_static("x"))]);
        assert!(Asked::of(&uri, &at_least).is_none());
        let mut several = HeaderMap::new();
        several.append(header::ACCEPT, HeaderValue::from_static("a/b"));
        several.append(header::ACCEPT, HeaderValue::from_static("c/d"));
        assert!(Asked::of(&uri, &several).is_none());
        let long: Uri = format!("/{}/dev", "x".repeat(LONGEST)).parse().expect("a path");
        assert!(Asked::of(&long, &HeaderMap::new()).is_none());
    }
}
