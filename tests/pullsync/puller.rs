//! Peers, cursors, workers, seals (9).
