//! Defects of the ancestors, one by one (11).
