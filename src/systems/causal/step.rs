//! What a node does with each input (section 6).

use crate::machine::Machine;

use super::message::{Input, Output};
use super::state::State;

impl Machine for State {
    type Input = Input;
    type Output = Output;

    fn step(&mut self, _input: Input, _outputs: &mut Vec<Output>) {
        todo!()
    }
}

impl PartialEq for State {
    fn eq(&self, _o: &Self) -> bool {
        todo!()
    }
}
impl Eq for State {}
impl std::hash::Hash for State {
    fn hash<H: std::hash::Hasher>(&self, _h: &mut H) {
        todo!()
    }
}
