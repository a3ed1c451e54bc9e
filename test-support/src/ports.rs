//! Ports for whoever has to be given one by number.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU16, Ordering};

/// Below the ports that the system hands out (on Linux from 32768): while the owner of one is away,
/// no outgoing connection takes it, not even one that looks for the owner.
const FIRST: u16 = 10_000;
const COUNT: u16 = 20_000;

/// A port of this machine that nobody holds now; never the same twice in one process.
///
/// # Errors
/// When all are taken.
pub fn free_port() -> io::Result<u16> {
    static START: OnceLock<u16> = OnceLock::new();
    static STEPS: AtomicU16 = AtomicU16::new(0);
    let random = || (RandomState::new().hash_one(()) % u64::from(COUNT)) as u16;
    let start = *START.get_or_init(random);
    for _ in 0..COUNT {
        let step = STEPS.fetch_add(1, Ordering::Relaxed) % COUNT;
        let port = FIRST + (start + step) % COUNT;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(port);
        }
    }
    Err(io::ErrorKind::AddrInUse.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_differ_and_none_is_one_the_system_hands_out() {
        let ports: std::collections::BTreeSet<u16> = (0..50).map(|_| free_port().expect("a free port")).collect();
        assert_eq!(ports.len(), 50);
        assert!(ports.iter().all(|port| *port < 32_768));
    }
}
