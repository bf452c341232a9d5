//! Catalog: lookups, readers beside a writer, accesses, snapshots, saves and deltas.

fn main() {}
