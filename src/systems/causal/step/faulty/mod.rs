//! What only faulty strategies do: each defect of section 9 on real bytes, kept out of the
//! reference's way.

mod disk;
mod scan;
mod send;
mod wire;

pub(super) use disk::{read_clock_file, remove_in_place, sent, tear_clock_file};
pub(in crate::causal) use scan::{Obstacles, Volatile};
pub(super) use scan::{deliver_effect_first, found, index_again, push_to_lane};
pub(super) use send::{
    commit_clock_first, commit_unstamped, is_above_wrapped, stamp_all, stamped_and_confirmed,
    stamped_line, unstamped, wrap_clock,
};
pub(super) use wire::{admit, transfer, unchecked_line};
