//! What routes are made of, and where records are altered.

use bytes::Bytes;
use concord_systems::catalog::Route;

use super::{Field, Value};

/// Values of the fields of a route. The first ones make a valid route.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fields {
    pub(super) ids: &'static [u64],
    pub(super) groups: &'static [u64],
    pub(super) states: &'static [u8],
    pub(super) parents: &'static [u64],
    pub(super) starts: &'static [&'static str],
    pub(super) ends: &'static [Option<&'static str>],
    pub(super) splits: &'static [u64],
}

impl Fields {
    /// The route of the first values.
    pub(super) fn first(&self) -> Route {
        let mut route = Route {
            id: 0,
            start: Bytes::new(),
            end: None,
            group: 0,
            state: 0,
            parent: 0,
            split_at: 0,
        };
        for values in self.values() {
            self.set(&mut route, values[0]);
        }
        route
    }

    /// Every route.
    pub(super) fn routes(&self) -> Vec<Route> {
        let mut routes = vec![self.first()];
        for values in self.values() {
            let each = routes.iter().flat_map(|route| {
                values.iter().map(|value| {
                    let mut route = route.clone();
                    self.set(&mut route, *value);
                    route
                })
            });
            routes = each.collect();
        }
        routes
    }

    /// Values that a route does not have.
    pub(super) fn of(&self, route: &Route) -> Vec<Field> {
        let values = self.values().into_iter().flatten();
        let others = values.filter(|value| {
            let mut other = route.clone();
            self.set(&mut other, *value);
            other != *route
        });
        others.collect()
    }

    pub(super) fn set(&self, route: &mut Route, field: Field) {
        let bytes = |text: &'static str| Bytes::from_static(text.as_bytes());
        match field {
            Field::Id(id) => route.id = id,
            Field::Group(group) => route.group = group,
            Field::State(state) => route.state = state,
            Field::Parent(parent) => route.parent = parent,
            Field::Start(place) => route.start = bytes(self.starts[usize::from(place)]),
            Field::End(place) => route.end = self.ends[usize::from(place)].map(bytes),
            Field::SplitAt(at) => route.split_at = at,
        }
    }

    pub(super) fn describe(&self, field: Field) -> String {
        match field {
            Field::Id(id) => format!("set the id to {id}"),
            Field::Group(group) => format!("set the group to {group}"),
            Field::State(state) => format!("set the state to {state}"),
            Field::Parent(parent) => format!("set the parent to {parent}"),
            Field::Start(place) => format!("set start to {:?}", self.starts[usize::from(place)]),
            Field::End(place) => match self.ends[usize::from(place)] {
                Some(end) => format!("set end to {end:?}"),
                None => "leave end unbounded".to_owned(),
            },
            Field::SplitAt(at) => format!("set the timestamp of the split to {at}"),
        }
    }

    fn values(&self) -> [Vec<Field>; 7] {
        let numbers = |numbers: &[u64], field: fn(u64) -> Field| {
            let numbers = numbers.iter().copied();
            numbers.map(field).collect::<Vec<Field>>()
        };
        let places = |count: usize, field: fn(u8) -> Field| (0..count as u8).map(field).collect();
        [
            numbers(self.ids, Field::Id),
            numbers(self.groups, Field::Group),
            self.states.iter().copied().map(Field::State).collect(),
            numbers(self.parents, Field::Parent),
            places(self.starts.len(), Field::Start),
            places(self.ends.len(), Field::End),
            numbers(self.splits, Field::SplitAt),
        ]
    }
}

/// Places of a record with what they may become: codec byte, flags, counts, and fields that make it
/// invalid.
pub(super) fn alterations(value: &Value) -> Vec<(u16, u8)> {
    match value {
        Value::Route(route) => {
            let flag = 34 + route.start.len() as u16;
            let codecs = [0, 1, 2, 3].map(|codec| (0, codec));
            let flags = [0, 1, 2].map(|bound| (flag, bound));
            [&codecs[..], &flags, &[(8, 0), (17, 4)]].concat()
        }
        // The version, and the number of changes.
        Value::Delta(_) => vec![(0, 0), (0, 2), (16, 9), (24, 0), (24, 3)],
        Value::Number(..) => vec![(0, 0), (0, 2), (8, 0)],
    }
}
