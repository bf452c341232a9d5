//! Traces (11).
