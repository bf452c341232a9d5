//! The counter as its users meet it.

mod traces;
