//! The broadcaster from outside.

mod inbox;
