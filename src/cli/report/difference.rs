//! The first difference between a report that was kept and one that this build produces.

use serde_json::Value;

/// What differs first, if anything does.
pub(super) fn first(kept: Option<&str>, built: &str) -> Option<String> {
    let Some(kept) = kept else {
        return Some("is missing".to_owned());
    };
    // A checkout may have changed the line ends.
    if kept.lines().eq(built.lines()) {
        return None;
    }
    let values = (serde_json::from_str(kept), serde_json::from_str(built));
    if let (Ok(kept), Ok(built)) = values
        && let Some(difference) = values_differ("", &kept, &built)
    {
        return Some(difference);
    }
    Some(lines_differ(kept, built))
}

fn values_differ(path: &str, kept: &Value, built: &Value) -> Option<String> {
    if let (Value::Object(kept), Value::Object(built)) = (kept, built) {
        let mut keys: Vec<_> = kept.keys().chain(built.keys()).collect();
        keys.sort();
        keys.dedup();
        return keys.into_iter().find_map(|key| {
            let path = format!("{path}[{key}]");
            match (kept.get(key), built.get(key)) {
                (Some(kept), Some(built)) => values_differ(&path, kept, built),
                (Some(_), None) => Some(format!("{path} is kept, this build has none")),
                (None, _) => Some(format!("{path} is not kept, this build has it")),
            }
        });
    }
    (kept != built).then(|| format!("{path} is kept as {kept}, this build gives {built}"))
}

fn lines_differ(kept: &str, built: &str) -> String {
    let (mut kept, mut built) = (kept.lines(), built.lines());
    for number in 1.. {
        let what = match (kept.next(), built.next()) {
            (Some(kept), Some(built)) if kept == built => continue,
            (Some(kept), Some(built)) => format!("`{kept}` is kept, this build gives `{built}`"),
            (Some(kept), None) => format!("`{kept}` is kept, this build ends before it"),
            (None, Some(built)) => format!("the kept file ends, this build goes on: `{built}`"),
            (None, None) => break,
        };
        return format!("line {number}: {what}");
    }
    "the line ends differ".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_named_with_the_way_to_it() {
        let kept = r#"{"models":{"counter/a":{"states":12}}}"#;
        let built = r#"{"models":{"counter/a":{"states":13}}}"#;
        let expected = "[models][counter/a][states] is kept as 12, this build gives 13";
        assert_eq!(first(Some(kept), built).as_deref(), Some(expected));
    }

    #[test]
    fn a_line_is_named_by_its_number() {
        let expected = "line 2: `b` is kept, this build gives `c`";
        assert_eq!(first(Some("a\nb\n"), "a\nc\n").as_deref(), Some(expected));
    }

    #[test]
    fn line_ends_of_another_platform_do_not_matter() {
        assert_eq!(first(Some("a\r\nb\r\n"), "a\nb\n"), None);
        assert_eq!(first(None, "a\n").as_deref(), Some("is missing"));
    }
}
