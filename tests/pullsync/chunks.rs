//! Chunks, their addresses and proximity (2).
