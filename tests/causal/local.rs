//! Local operations (7.3).
