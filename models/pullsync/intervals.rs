//! Interval sets on their own.
