//! Defects put in on purpose, each of which the checker of one promise must catch.

use clap::ValueEnum;

/// What is done wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Broken {
    /// A head move is written down and published before it is served.
    EventBeforeSwap,
    /// An event says that it touches nobody.
    GuessesNarrow,
    /// An agent makes an answer live that a later one has overtaken.
    OlderAnswer,
    /// A server merges files of two commits.
    TwoCommits,
    /// An event leaves the outbox when it is sent.
    NoConfirm,
    /// Agents never look by themselves.
    NoTimer,
    /// An event that comes again has another id.
    NoMemory,
    /// An answer that changes nothing is made live all the same.
    FiresOnUnchanged,
    /// Agents take every notice for theirs.
    IgnoresScope,
    /// A broken file counts as one that is not there.
    ServesBroken,
    /// A refused configuration becomes live.
    OverrulesVeto,
    /// A restart does not find what was remembered.
    ForgetsLastKnownGood,
    /// What was made live is not written down.
    NeverRemembers,
    /// A server answers with what it has, whatever is asked for at least.
    IgnoresAtLeast,
    /// A server takes a commit in its past for passed, whoever wrote it down when.
    TrustsAncestry,
    /// An agent reports before the values are live.
    ReportsBeforeApply,
}
