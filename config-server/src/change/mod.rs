//! A head moved: write it down, make the notice, put it on the bus, and hear how it went.
