//! What a node does (6).
