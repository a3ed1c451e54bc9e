//! What the runnable examples and the end-to-end tests share.
//!
//! - [`repository`], [`storefront`]: a git repository made from the sample in `config-repo/`, and the
//!   settings of the sample service
//! - [`stage`]: servers and agents to break
//! - [`chaos`]: how they are broken

pub mod chaos;
pub mod stage;

pub mod repository;
pub mod simulation;
pub mod storefront;

pub use repository::SampleRepository;
pub use storefront::Storefront;
