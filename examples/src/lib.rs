//! What the runnable programs and the end-to-end tests share.
//!
//! - [`repository`], [`storefront`]: a git repository made from the sample in `config-repo/`, and the
//!   settings of the sample service
//! - [`server_process`]: the server as a process that can be measured
//! - [`stage`]: servers and agents to break
//! - [`chaos`]: how they are broken
//! - [`simulation`]: all of them without a network, a disk or a clock

pub mod repository;
pub mod server_process;
pub mod storefront;

pub mod stage;

pub mod chaos;

pub mod simulation;

pub use repository::SampleRepository;
pub use server_process::ServerProcess;
pub use storefront::Storefront;
