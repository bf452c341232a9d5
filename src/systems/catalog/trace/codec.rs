//! Keys and records (15.2, 15.7).

use bytes::Bytes;
use serde_json::{Value, json};

use crate::catalog::strategy::{Level, Settings};
use crate::catalog::{Delta, Route, codec, floor, keys};
use crate::replay::{Args, Flaw};

use super::json::{self, bytes, hex, read_delta, read_route, read_routes};
use super::{Fields, Told};

/// One call of a codec, or a function of keys.
#[derive(Debug)]
pub(super) enum Call {
    VersionKey,
    NextRouteIdKey,
    DeltaFloorKey,
    RouteKey(u64),
    DeltaKey(u64),
    IsRouteKey(Bytes),
    IsDeltaKey(Bytes),
    RouteIdFromKey(Bytes),
    DeltaVersionFromKey(Bytes),
    /// The version and the next-id record have one layout.
    EncodeNumber(u64),
    DecodeVersion(Bytes),
    DecodeNextRouteId(Bytes),
    EncodeRoute(Route),
    DecodeRoute(Bytes),
    Floor(Vec<Route>),
    EncodeDelta(Delta),
    DecodeDelta(Bytes),
}

/// Reads the arguments of one operation.
type Read = fn(&mut Fields<'_, '_>, Level) -> Result<Call, Flaw>;

/// How to read an operation without node and store, if the level has it.
pub(super) fn reader(op: &str, level: Level) -> Option<Read> {
    Some(match (op, level) {
        ("version_key", _) => |_, _| Ok(Call::VersionKey),
        ("next_route_id_key", _) => |_, _| Ok(Call::NextRouteIdKey),
        ("route_key", _) => |of, _| of.read("route_id", Args::u64).map(Call::RouteKey),
        ("is_route_key", _) => |of, _| of.read("key", bytes).map(Call::IsRouteKey),
        ("route_id_from_key", _) => |of, _| of.read("key", bytes).map(Call::RouteIdFromKey),
        ("encode_version", _) => |of, _| of.read("version", Args::u64).map(Call::EncodeNumber),
        ("decode_version", _) => |of, _| of.read("raw", bytes).map(Call::DecodeVersion),
        ("encode_next_route_id", _) => |of, _| {
            let number = of.read("next_route_id", Args::u64)?;
            Ok(Call::EncodeNumber(number))
        },
        ("decode_next_route_id", _) => |of, _| of.read("raw", bytes).map(Call::DecodeNextRouteId),
        ("encode_route", _) => |of, level| {
            let route = of.read("route", |args, field| read_route(args, field, level))?;
            Ok(Call::EncodeRoute(route))
        },
        ("decode_route", _) => |of, _| of.read("raw", bytes).map(Call::DecodeRoute),
        ("next_route_id_floor", _) => |of, level| read_routes(of, level).map(Call::Floor),
        ("delta_floor_key", Level::Two) => |_, _| Ok(Call::DeltaFloorKey),
        ("delta_key", Level::Two) => |of, _| of.read("version", Args::u64).map(Call::DeltaKey),
        ("is_delta_key", Level::Two) => |of, _| of.read("key", bytes).map(Call::IsDeltaKey),
        ("delta_version_from_key", Level::Two) => |of, _| {
            let key = of.read("key", bytes)?;
            Ok(Call::DeltaVersionFromKey(key))
        },
        ("encode_delta", Level::Two) => |of, _| read_delta(of).map(Call::EncodeDelta),
        ("decode_delta", Level::Two) => |of, _| of.read("raw", bytes).map(Call::DecodeDelta),
        _ => return None,
    })
}

impl Call {
    pub(super) fn perform(self, settings: &Settings) -> Told {
        Ok(match self {
            Self::VersionKey => hex(keys::VERSION),
            Self::NextRouteIdKey => hex(keys::NEXT_ROUTE_ID),
            Self::DeltaFloorKey => hex(keys::DELTA_FLOOR),
            Self::RouteKey(id) => hex(keys::route(id)),
            Self::DeltaKey(version) => hex(keys::delta(version)),
            Self::IsRouteKey(key) => Value::Bool(keys::is_route(&key)),
            Self::IsDeltaKey(key) => Value::Bool(keys::is_delta(&key)),
            Self::RouteIdFromKey(key) => json!(keys::route_id(&key)),
            Self::DeltaVersionFromKey(key) => json!(keys::delta_version(&key)),
            Self::EncodeNumber(number) => hex(codec::encode_number(number)),
            Self::DecodeVersion(raw) => codec::decode_version(&raw)?.into(),
            Self::DecodeNextRouteId(raw) => codec::decode_next_route_id(&raw)?.into(),
            Self::EncodeRoute(route) => hex(codec::encode_route(&route, settings)?),
            Self::DecodeRoute(raw) => {
                let route = codec::decode_route(&raw, settings)?;
                json::route(&route, settings.level)
            }
            Self::Floor(routes) => floor(&routes)?.into(),
            Self::EncodeDelta(delta) => hex(codec::encode_delta(&delta, settings)?),
            Self::DecodeDelta(raw) => json::delta(&codec::decode_delta(&raw, settings)?),
        })
    }
}
