//! The framed codec (4).
