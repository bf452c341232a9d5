//! Pullsync: interval sets, validation of chunks, exchanges.

fn main() {}
