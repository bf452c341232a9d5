//! Who waits for which message.

use super::super::clock::Node;

/// No link.
const NONE: u32 = u32::MAX;

/// A hash table of links by the message they wait for. Its chains run through the links themselves,
/// whose numbers the caller gives; nothing is allocated before something waits.
#[derive(Clone, Debug)]
pub(super) struct Waiters {
    /// First links of the chains. As many as a power of two, or none.
    buckets: Vec<u32>,
    /// By number.
    links: Vec<Link>,
    linked: usize,
}

#[derive(Clone, Debug)]
struct Link {
    is_linked: bool,
    node: Node,
    /// The next one of the chain.
    next: u32,
    seq: u64,
}

impl Waiters {
    pub(super) const fn new() -> Self {
        Self {
            buckets: Vec::new(),
            links: Vec::new(),
            linked: 0,
        }
    }

    /// Lets `link` wait for message `seq` of `node`, and for nothing else. O(1) amortised.
    pub(super) fn wait(&mut self, link: u32, node: Node, seq: u64) {
        self.forget(link);
        if self.linked == self.buckets.len() {
            self.grow();
        }
        let place = link as usize;
        if self.links.len() <= place {
            self.links.resize(place + 1, Link::OUT);
        }
        self.links[place] = Link {
            is_linked: true,
            node,
            next: NONE,
            seq,
        };
        self.linked += 1;
        self.chain(link);
    }

    /// Whether `link` waits for a message.
    pub(super) fn is_waiting(&self, link: u32) -> bool {
        let link = self.links.get(link as usize);
        link.is_some_and(|link| link.is_linked)
    }

    /// Lets `link` wait no longer, if it does. O(1) expected.
    pub(super) fn forget(&mut self, link: u32) {
        let Some(found) = self.links.get(link as usize) else {
            return;
        };
        if found.is_linked {
            let (node, seq) = (found.node, found.seq);
            self.unchain(node, seq, |_, other| other == link, |_| ());
        }
    }

    /// Hands out all links that wait for message `seq` of `node`, in no order; they wait no longer.
    /// O(1) expected for each, and once.
    pub(super) fn wake(&mut self, node: Node, seq: u64, woken: impl FnMut(u32)) {
        let is_meant = |link: &Link, _| link.node == node && link.seq == seq;
        self.unchain(node, seq, is_meant, woken);
    }

    fn unchain(
        &mut self,
        node: Node,
        seq: u64,
        is_meant: impl Fn(&Link, u32) -> bool,
        mut out: impl FnMut(u32),
    ) {
        if self.linked == 0 {
            return;
        }
        let bucket = self.bucket(node, seq);
        let mut before = NONE;
        let mut at = self.buckets[bucket];
        while at != NONE {
            let link = &mut self.links[at as usize];
            let next = link.next;
            if is_meant(link, at) {
                link.is_linked = false;
                self.linked -= 1;
                match before {
                    NONE => self.buckets[bucket] = next,
                    _ => self.links[before as usize].next = next,
                }
                out(at);
            } else {
                before = at;
            }
            at = next;
        }
    }

    fn grow(&mut self) {
        let size = (2 * self.buckets.len()).max(8);
        self.buckets.clear();
        self.buckets.resize(size, NONE);
        for link in 0..self.links.len() {
            if self.links[link].is_linked {
                self.chain(link as u32);
            }
        }
    }

    fn chain(&mut self, link: u32) {
        let place = link as usize;
        let bucket = self.bucket(self.links[place].node, self.links[place].seq);
        self.links[place].next = self.buckets[bucket];
        self.buckets[bucket] = link;
    }

    /// Consecutive messages of a sender go to buckets far from each other.
    fn bucket(&self, node: Node, seq: u64) -> usize {
        let key = seq ^ u64::from(node.0) << 48;
        let hash = key.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
        let size = self.buckets.len() as u64;
        ((hash * size) >> 32) as usize
    }
}

impl Link {
    const OUT: Self = Self {
        is_linked: false,
        node: Node(0),
        next: NONE,
        seq: 0,
    };
}
