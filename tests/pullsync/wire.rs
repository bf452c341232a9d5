//! Messages and frames (6).
