//! Who waits for which message.

use std::mem;

use super::super::clock::Node;

/// So many links are faster gone through than hashed.
const FEW: usize = 16;

/// The end of a chain.
const END: u32 = u32::MAX;

/// Links by the message that they wait for. If there are more than a few, they are found by hash: its
/// chains run through the links.
#[derive(Clone, Debug)]
pub(super) struct Waiters {
    /// By number.
    links: Vec<Link>,
    /// First links of the chains: as many as a power of two, or none as long as links are few.
    buckets: Vec<u32>,
    waiting: usize,
}

#[derive(Clone, Copy, Debug)]
struct Link {
    /// 0, which no message has, if it waits for nothing.
    seq: u64,
    node: Node,
    /// The next one of the chain.
    next: u32,
}

impl Waiters {
    /// Nobody; allocates nothing.
    pub(super) const fn new() -> Self {
        Self {
            links: Vec::new(),
            buckets: Vec::new(),
            waiting: 0,
        }
    }

    /// Lets `link`, which waits for nothing, wait for message `seq` of `node`. O(1) amortised.
    #[inline]
    pub(super) fn wait(&mut self, link: u32, node: Node, seq: u64) {
        let place = link as usize;
        if place >= self.links.len() {
            self.links.resize(place + 1, Link::FREE);
        }
        self.waiting += 1;
        let next = if self.links.len() <= FEW {
            END
        } else {
            self.chain(link, node, seq)
        };
        self.links[place] = Link { seq, node, next };
    }

    /// Lets `link`, which waits for a message, wait no longer. O(1) expected.
    pub(super) fn forget(&mut self, link: u32) {
        let Link { node, seq, .. } = self.links[link as usize];
        self.take(node, seq, |_, at| at == link);
    }

    /// Takes out all links that wait for message `seq` of `node`; they wait no longer. Gives the first
    /// one; [`Self::after`] gives the others, in no order, until something waits again. O(1) expected
    /// for each, and once.
    #[inline]
    pub(super) fn wake(&mut self, node: Node, seq: u64) -> Option<u32> {
        if self.waiting == 0 {
            return None;
        }
        let is_meant = |link: &Link, _| (link.seq == seq) & (link.node == node);
        let first = self.take(node, seq, is_meant);
        (first != END).then_some(first)
    }

    /// The one after `link` among those that were woken together.
    #[inline]
    pub(super) fn after(&self, link: u32) -> Option<u32> {
        let next = self.links[link as usize].next;
        (next != END).then_some(next)
    }

    /// Takes out what is meant among those that wait for a message, chained to each other.
    #[inline]
    fn take(&mut self, node: Node, seq: u64, is_meant: impl Fn(&Link, u32) -> bool) -> u32 {
        let mut taken = END;
        if self.buckets.is_empty() {
            // Which ones are meant cannot be foreseen, so nothing branches on it one by one.
            let mut meant = 0_u32;
            for (at, link) in (0..).zip(&self.links) {
                meant |= u32::from(is_meant(link, at)) << at;
            }
            while meant != 0 {
                let at = meant.trailing_zeros();
                meant &= meant - 1;
                self.waiting -= 1;
                self.links[at as usize].seq = 0;
                self.links[at as usize].next = mem::replace(&mut taken, at);
            }
            return taken;
        }
        let bucket = self.bucket(node, seq);
        let mut before = END;
        let mut at = self.buckets[bucket];
        while at != END {
            let link = &mut self.links[at as usize];
            let next = link.next;
            if is_meant(link, at) {
                self.waiting -= 1;
                link.seq = 0;
                link.next = mem::replace(&mut taken, at);
                match before {
                    END => self.buckets[bucket] = next,
                    _ => self.links[before as usize].next = next,
                }
            } else {
                before = at;
            }
            at = next;
        }
        taken
    }

    /// Puts a link at the front of its chain; gives the one behind it.
    fn chain(&mut self, link: u32, node: Node, seq: u64) -> u32 {
        if 2 * self.waiting > self.buckets.len() {
            self.grow();
        }
        let bucket = self.bucket(node, seq);
        mem::replace(&mut self.buckets[bucket], link)
    }

    #[cold]
    fn grow(&mut self) {
        self.buckets = vec![END; (4 * self.waiting.max(FEW)).next_power_of_two()];
        for at in 0..self.links.len() {
            let Link { seq, node, .. } = self.links[at];
            if seq > 0 {
                let bucket = self.bucket(node, seq);
                self.links[at].next = mem::replace(&mut self.buckets[bucket], at as u32);
            }
        }
    }

    /// Consecutive messages of a sender go to buckets far from each other.
    #[inline]
    fn bucket(&self, node: Node, seq: u64) -> usize {
        let key = seq ^ u64::from(node.0) << 48;
        let hash = key.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
        // The upper bits, which all of the key decides.
        ((hash * self.buckets.len() as u64) >> 32) as usize
    }
}

impl Link {
    const FREE: Self = Self {
        seq: 0,
        node: Node(0),
        next: END,
    };
}
