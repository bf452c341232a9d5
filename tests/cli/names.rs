//! Names that nothing has, in every command that takes one.

use crate::support::toys;

#[test]
fn an_unknown_name_gives_2_and_the_nearest_names() {
    for (arguments, nearest) in [
        ("check tnak", "`tank`"),
        ("check tank tank/gaurded", "`tank/guarded`"),
        ("check tank/guarded@no_gard", "`tank/guarded@no_guard`"),
        ("graph no_gaurd", "`tank/guarded@no_guard`"),
        ("explore tank/guardedd", "`tank/guarded`"),
        ("replay tankk x.jsonl", "`tank`"),
    ] {
        let ran = toys(arguments);
        assert_eq!(ran.code, 2, "{arguments}: {ran:?}");
        assert!(ran.errors.contains(nearest), "{arguments}: {ran:?}");
        assert!(ran.output.is_empty(), "{arguments}: {ran:?}");
    }
}

#[test]
fn the_nearest_name_is_suggested_however_far_it_is() {
    let ran = toys("check zzzzzz");
    assert_eq!(ran.code, 2);
    assert!(ran.errors.contains("did you mean `"), "{ran:?}");
}

#[test]
fn a_system_without_models_is_known_nevertheless() {
    let ran = toys("graph bare");
    assert_eq!(ran.code, 2);
    assert!(ran.errors.contains("`bare` has no models"), "{ran:?}");
}
