//! Crash points and recovery (6.5, 6.6).
