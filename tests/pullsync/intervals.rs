//! Interval sets (4).
