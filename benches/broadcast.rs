//! Channels.
fn main() {}
