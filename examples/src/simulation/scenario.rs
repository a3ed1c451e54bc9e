//! What kind of run a seed is.

use super::agenda::Millis;

/// The circumstances of one run, drawn once.
#[derive(Debug, Clone)]
pub struct Scenario {
    pub servers: usize,
    pub agents: usize,
    /// The bus is inside the one server; otherwise a broker stands between.
    pub embedded: bool,
    /// Agents ask any server each time, as behind one address; otherwise the one that answered last.
    pub balanced: bool,
    /// Nothing on the bus ever arrives.
    pub deaf: bool,
    /// How many messages in a hundred are lost on the way.
    pub lost: u32,
    /// How many come twice.
    pub repeated: u32,
    /// How many confirms are lost.
    pub unconfirmed: u32,
    /// The longest a message takes.
    pub slowest: Millis,
    /// How many configurations in a hundred an application refuses.
    pub refused: u32,
    /// For how long things go wrong.
    pub storm: Millis,
    /// The mean time between two disturbances.
    pub pause: Millis,
}

impl Scenario {
    /// Draws one.
    pub fn draw(rng: &mut fastrand::Rng) -> Self {
        let servers = rng.usize(1..=2);
        Self {
            servers,
            agents: rng.usize(1..=5),
            embedded: servers == 1 && rng.u8(..4) == 0,
            balanced: rng.bool(),
            deaf: rng.u8(..10) == 0,
            lost: *one_of(rng, &[0, 0, 5, 30]),
            repeated: *one_of(rng, &[0, 10, 40]),
            unconfirmed: *one_of(rng, &[0, 10, 30]),
            slowest: *one_of(rng, &[5, 500, 20_000]),
            refused: *one_of(rng, &[0, 0, 15]),
            storm: rng.u64(60_000..300_000),
            pause: *one_of(rng, &[1_000, 4_000, 15_000]),
        }
    }
}

/// One of `choices`.
pub fn one_of<'a, T>(rng: &mut fastrand::Rng, choices: &'a [T]) -> &'a T {
    &choices[rng.usize(..choices.len())]
}
