//! Traces whose results are not what they should be.

use serde_json::{Map, Value, json};

/// Results that differ from that of a step in one number, string, flag, or by one element.
pub(crate) fn altered_results(step: &Value) -> Vec<Map<String, Value>> {
    let results = match step["fails"].as_str() {
        Some(code) => vec![
            ("fails", json!(format!("{code}x"))),
            ("fails", json!("")),
            ("returns", json!(code)),
            ("returns", Value::Null),
        ],
        None => {
            let values = altered(&step["returns"]).into_iter();
            let values = values.map(|value| ("returns", value));
            values.chain([("fails", json!("node_down"))]).collect()
        }
    };
    let results = results.into_iter();
    results
        .map(|(kind, value)| Map::from_iter([(kind.to_owned(), value)]))
        .collect()
}

/// Every value that differs from `value` in one number, string, flag, or by one element.
fn altered(value: &Value) -> Vec<Value> {
    match value {
        Value::Null => vec![json!(0), json!({})],
        Value::Bool(flag) => vec![json!(!flag)],
        Value::Number(number) => {
            let other = match number.as_u64() {
                Some(number) => json!(number ^ 1),
                None => json!(0),
            };
            vec![other, json!(number.as_f64()), json!(number.to_string())]
        }
        Value::String(text) => vec![json!(format!("{text}0")), Value::Null],
        Value::Array(items) => {
            let inner = (0..items.len()).flat_map(|at| {
                let changed = altered(&items[at]).into_iter().map(move |item| (at, item));
                changed.map(|(at, item)| {
                    let mut items = items.clone();
                    items[at] = item;
                    Value::Array(items)
                })
            });
            let longer = [items.clone(), vec![json!("more")]].concat();
            let shorter = items.split_last().map(|(_, rest)| json!(rest));
            inner.chain([json!(longer)]).chain(shorter).collect()
        }
        Value::Object(members) => {
            let inner = members.iter().flat_map(|(name, value)| {
                altered(value).into_iter().map(|value| {
                    let mut members = members.clone();
                    members.insert(name.clone(), value);
                    Value::Object(members)
                })
            });
            let fewer = members.keys().map(|name| {
                let mut members = members.clone();
                members.remove(name);
                Value::Object(members)
            });
            let mut more = members.clone();
            more.insert("more".into(), json!(1));
            inner.chain(fewer).chain([Value::Object(more)]).collect()
        }
    }
}
