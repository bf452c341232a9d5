//! Keys and records of the sample (16).

use std::collections::BTreeMap;

use concord::systems::catalog::codec::{
    decode_next_route_id, decode_route, decode_version, encode_number, encode_route,
};
use concord::systems::catalog::strategy::Level;
use concord::systems::catalog::{Route, keys};
use data_encoding::HEXLOWER;
use serde_json::{Value, json};

use super::{settings, unhex};

const SAMPLE: &str = include_str!("../traces/catalog-sample.jsonl");

fn steps() -> impl Iterator<Item = Value> {
    let lines = SAMPLE.lines().skip(1);
    lines.map(|line| serde_json::from_str(line).unwrap())
}

fn bytes(value: &Value) -> Vec<u8> {
    unhex(value.as_str().unwrap())
}

fn described(value: &Value) -> Route {
    let number = |name: &str| value[name].as_u64().unwrap();
    let end = &value["end"];
    Route {
        id: number("route_id"),
        start: bytes(&value["start"]).into(),
        end: (!end.is_null()).then(|| bytes(end).into()),
        group: number("group_id"),
        state: number("state").try_into().unwrap(),
        parent: number("parent_route_id"),
        split_at: 0,
    }
}

#[test]
fn operations_on_records_return_what_the_sample_says() {
    let one = settings(Level::One);
    let mut seen = BTreeMap::new();
    for step in steps() {
        let (op, args) = (step["op"].as_str().unwrap().to_owned(), &step["args"]);
        let outcome = match &op[..] {
            "route_key" => Ok(keys::route(args["route_id"].as_u64().unwrap())),
            "encode_route" => encode_route(&described(&args["route"]), &one),
            "decode_route" => {
                let raw = bytes(&args["raw"]);
                decode_route(&raw, &one).and_then(|route| encode_route(&route, &one))
            }
            _ => continue,
        };
        match outcome {
            Ok(raw) => assert_eq!(step["returns"], json!(HEXLOWER.encode(&raw))),
            Err(error) => assert_eq!(step["fails"], json!(error.code())),
        }
        *seen.entry(op).or_insert(0) += 1;
    }
    let expected = ["decode_route", "encode_route", "route_key"];
    assert_eq!(seen, expected.map(|op| (op.to_owned(), 1)).into());
}

/// What a save plans to write.
#[test]
fn mutations_of_the_sample_hold_these_records() {
    let plan = steps().find(|step| step["op"] == "save_prepare").unwrap();
    let mutations = plan["returns"]["mutations"].as_array().unwrap();
    let [
        (route_key, route),
        (version_key, version),
        (id_key, next_id),
    ] = [0, 1, 2].map(|place: usize| {
        let mutation = &mutations[place];
        (bytes(&mutation["key"]), bytes(&mutation["value"]))
    });
    assert_eq!(keys::route_id(&route_key), Some(1));
    let one = settings(Level::One);
    let decoded = decode_route(&route, &one).unwrap();
    assert_eq!(decoded, described(&plan["args"]["routes"][0]));
    assert_eq!(encode_route(&decoded, &one).unwrap(), route);
    assert_eq!(version_key, keys::VERSION);
    assert_eq!(decode_version(&version), Ok(2));
    assert_eq!(id_key, keys::NEXT_ROUTE_ID);
    assert_eq!(decode_next_route_id(&next_id), Ok(2));
    assert_eq!(encode_number(2), version);
}
