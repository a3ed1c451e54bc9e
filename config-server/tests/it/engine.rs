//! The engine against the recorded answers of the stock server.
