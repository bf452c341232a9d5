//! Bit vectors (5).
