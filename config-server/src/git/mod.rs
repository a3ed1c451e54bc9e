//! Commits come in: one bare mirror per remote, fetched under a deadline, read into snapshots.
