//! The bus inside the server: events over SSE, reports over HTTP.
