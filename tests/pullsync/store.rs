//! The storage contract and pages (3).
