//! Laws of the OR-set (7.2).
