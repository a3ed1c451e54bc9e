//! A head moves, an operator calls, a webhook arrives: what goes out, and what is told of it.

mod behind;
mod calls;
mod cluster;
mod harness;
mod peers;
mod rounds;
