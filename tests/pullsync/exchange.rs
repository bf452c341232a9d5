//! The puller's side of one exchange (7).
