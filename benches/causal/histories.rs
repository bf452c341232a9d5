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

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Order {
    /// Shuffled within windows of so many.
    Window(usize),
    Reversed,
}

impl Arrivals {
    /// Before each message its sender delivers one of another member, the last one that was sent by
    /// it, and with that everything that one depends on.
    pub(crate) fn new(members: usize, messages: usize, order: Order) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let mut clocks = vec![Clock::zero(members); members];
        let mut sent = Vec::with_capacity(messages);
        for _ in 0..messages {
            let [sender, heard] = [(); 2].map(|()| random.random_range(0..members));
            let heard = clocks[heard].clone();
            let clock = &mut clocks[sender];
            clock.merge(&heard);
            let sender = Node(u16::try_from(sender).expect("groups are small here"));
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
