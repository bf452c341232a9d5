//! Random tables, and what is done with them.

use std::collections::BTreeSet;

use bytes::Bytes;
use concord::systems::catalog::Route;
use proptest::prelude::*;
use proptest::sample::Index;

/// What is done to a catalog.
#[derive(Clone, Debug)]
pub(super) enum Draw {
    Save(Table),
    Split { at: Index, key: String },
    Foreign(Foreign),
}

/// What others write.
#[derive(Clone, Copy, Debug)]
pub(super) enum Foreign {
    /// A key of their own, so long after everything.
    User(u64),
    /// A next id so far above what was given.
    NextId(u64),
}

/// A desired table, given the present one.
#[derive(Clone, Debug)]
pub(super) struct Table {
    cuts: BTreeSet<String>,
    cells: Vec<Option<Cell>>,
    /// It goes between the others, where it mostly does not belong.
    surplus: Option<(Cell, String, Option<String>)>,
    /// Where the list begins.
    turn: Index,
}

#[derive(Clone, Copy, Debug)]
struct Cell {
    id: Id,
    group: u64,
    state: u8,
    parent: u64,
}

#[derive(Clone, Copy, Debug)]
enum Id {
    Present(Index),
    New(u64),
    Any(u64),
}

impl Table {
    /// The desired table. `next` is the next free id.
    pub(super) fn table(&self, present: &[Route], next: u64) -> Vec<Route> {
        let mut left: Vec<u64> = present.iter().map(|route| route.id).collect();
        let mut next = next;
        let mut id_of = |id: Id| match id {
            Id::Present(at) if !left.is_empty() => left.remove(at.index(left.len())),
            Id::Any(id) => id,
            Id::Present(_) | Id::New(_) => {
                let skipped = if let Id::New(skipped) = id {
                    skipped
                } else {
                    0
                };
                next += 1 + skipped;
                next - 1
            }
        };
        let cuts: Vec<&String> = self.cuts.iter().collect();
        let mut ends = cuts.iter().skip(1).map(|cut| Some((*cut).clone()));
        let mut table = Vec::new();
        for (start, cell) in cuts.iter().zip(&self.cells) {
            let end = ends.next().flatten();
            if let Some(cell) = cell {
                table.push(cell.route(id_of(cell.id), start, end));
            }
        }
        if let Some((cell, start, end)) = &self.surplus {
            table.push(cell.route(id_of(cell.id), start, end.clone()));
        }
        if !table.is_empty() {
            let turn = self.turn.index(table.len());
            table.rotate_left(turn);
        }
        table
    }
}

impl Cell {
    fn route(self, id: u64, start: &str, end: Option<String>) -> Route {
        Route {
            id,
            start: Bytes::copy_from_slice(start.as_bytes()),
            end: end.map(Bytes::from),
            group: self.group,
            state: self.state,
            parent: self.parent,
            split_at: 0,
        }
    }
}

pub(super) fn draw() -> impl Strategy<Value = Draw> {
    let foreign = prop_oneof![
        4 => (1..4_u64).prop_map(Foreign::User),
        1 => (0..3_u64).prop_map(Foreign::NextId),
    ];
    prop_oneof![
        6 => table().prop_map(Draw::Save),
        3 => (any::<Index>(), key()).prop_map(|(at, key)| Draw::Split { at, key }),
        1 => foreign.prop_map(Draw::Foreign),
    ]
}

pub(super) fn table() -> impl Strategy<Value = Table> {
    let cells = prop::collection::vec(prop::option::weighted(0.85, cell()), 5);
    let surplus = (cell(), key(), prop::option::of(key()));
    let surplus = prop::option::weighted(0.1, surplus);
    (
        prop::collection::btree_set(key(), 0..5),
        cells,
        surplus,
        any::<Index>(),
    )
        .prop_map(|(cuts, cells, surplus, turn)| Table {
            cuts,
            cells,
            surplus,
            turn,
        })
}

/// A key: none to three letters of few.
pub(super) fn key() -> impl Strategy<Value = String> {
    "[a-c]{0,3}"
}

fn cell() -> impl Strategy<Value = Cell> {
    let id = prop_oneof![
        20 => any::<Index>().prop_map(Id::Present),
        10 => (0..2_u64).prop_map(Id::New),
        1 => (0..9_u64).prop_map(Id::Any),
    ];
    let group = prop_oneof![60 => 1..4_u64, 1 => Just(0)];
    let state = prop_oneof![60 => 0..4_u8, 1 => Just(4)];
    (id, group, state, 0..2_u64).prop_map(|(id, group, state, parent)| Cell {
        id,
        group,
        state,
        parent,
    })
}
