//! What a group sends, and in which order it arrives.

use concord::systems::causal::{Clock, Message, Node};
use rand::seq::SliceRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

/// Messages of a group, and the order in which they arrive at a node that sends nothing.
pub(crate) struct Arrivals {
    pub(crate) members: usize,
    /// In the order in which they were sent.
    pub(crate) sent: Vec<Message>,
    /// By place among those sent.
    pub(crate) order: Vec<usize>,
}

const IN_FLIGHT: usize = 10;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Order {
    /// Shuffled within windows of so many.
    Window(usize),
    Reversed,
}

impl Arrivals {
    /// Anybody may send next. Who does has delivered all but the last few messages of the others, up to
    /// [`IN_FLIGHT`].
    pub(crate) fn new(members: usize, messages: usize, order: Order) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let mut sent: Vec<Message> = Vec::with_capacity(messages);
        // By sender: how many of all messages it has delivered, and its clock.
        let mut known = vec![(0, Clock::zero(members)); members];
        for number in 0..messages {
            let place = random.random_range(0..members);
            let (delivered, clock) = &mut known[place];
            let in_flight = random.random_range(0..=IN_FLIGHT);
            let until = number.saturating_sub(in_flight).max(*delivered);
            for message in &sent[*delivered..until] {
                clock.merge(&message.stamp);
            }
            *delivered = until;
            let sender = Node(u16::try_from(place).expect("groups are small here"));
            clock.set(sender, clock.get(sender) + 1);
            sent.push(Message {
                sender,
                stamp: clock.clone(),
                operation: None,
            });
        }
        let mut places: Vec<usize> = (0..messages).collect();
        match order {
            Order::Window(window) => {
                let windows = places.chunks_mut(window);
                windows.for_each(|window| window.shuffle(&mut random));
            }
            Order::Reversed => places.reverse(),
        }
        Self {
            members,
            sent,
            order: places,
        }
    }
}
