//! Streams over one connection.
