//! Handlers, registry, cancels (8).
