//! Drawings.

use super::super::{digest, draw};
use super::graph::{Graph, arrow, plain};

#[test]
fn states_and_steps_are_drawn() {
    let graph = Graph::eventually(&[plain(0, 1), arrow(1, 1, "a", 0)], &[]);
    let drawing = draw(&graph, 10);
    assert!(!drawing.is_cut);
    let (zero, one) = (digest(&0), digest(&1));
    let expected = format!(
        r#"digraph "a \"b\"" {{
  node [shape=box];
  0 [label="{zero}", tooltip="0", peripheries=2];
  1 [label="{one}", tooltip="1"];
  0 -> 1 [label="c 0->1"];
  1 -> 1 [label="a 1->1"];
}}
"#
    );
    assert_eq!(drawing.to_dot("a \"b\""), expected);
}

#[test]
fn drawing_of_too_many_states_is_cut() {
    let chain: Vec<_> = (0..9).map(|state| plain(state, state + 1)).collect();
    let drawing = draw(&Graph::eventually(&chain, &[]), 3);
    assert_eq!((drawing.nodes.len(), drawing.edges.len()), (3, 2));
    assert!(drawing.is_cut);
}
