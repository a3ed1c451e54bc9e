//! What the runnable examples share: a git repository made from the sample in `config-repo/`, and
//! the settings of the sample service.

pub mod repository;
pub mod simulation;
pub mod storefront;

pub use repository::SampleRepository;
pub use storefront::Storefront;
