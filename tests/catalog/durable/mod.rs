//! The durable catalog: reads, saves, splits, deltas, bootstrap, syncs, and what becomes of them when
//! anything comes in between.

mod bootstrap;
mod crashes;
mod defects;
mod deltas;
mod draws;
mod events;
mod failures;
mod hazards;
mod interleaved;
mod oracle;
mod reads;
mod renaming;
mod saves;
mod sequences;
mod splits;
mod syncs;
mod world;
