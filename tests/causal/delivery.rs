//! Delivery against a slow oracle (2, 6.4).
