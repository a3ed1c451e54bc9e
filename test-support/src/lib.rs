//! Development only. Real things for tests: git repositories, a RabbitMQ node of one's own, a proxy
//! that breaks connections. Depends on no crate of the workspace.
