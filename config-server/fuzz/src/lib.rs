//! The pure parts of the server, compiled without the rest of it: no git, no HTTP, no database.
//!
//! The modules are the server's own files. That they compile here is also the proof that they need
//! nothing of the shell around them.

#[path = "../../src/engine/mod.rs"]
pub mod engine;

#[path = "../../src/api"]
pub mod api {
    pub mod path;
}

#[path = "../../src/doors"]
pub mod doors {
    pub mod monitor;
}

#[path = "../../src/settings"]
pub mod settings {
    pub mod monitor;
    pub mod secret;

    pub use monitor::MonitorSettings;
}

#[path = "../../../bus/src/embedded/sse.rs"]
pub mod sse;
