//! Section 7 once more, slow and plain: a list, flags and counts.

/// A broadcaster as the spec's words describe it. Messages are hex, as traces write them.
#[derive(Debug)]
pub(crate) struct Oracle {
    capacity: usize,
    queue: Vec<String>,
    cancelled: bool,
    closed: bool,
    dropped: u64,
    rejected: u64,
    open: Option<Open>,
    pub(crate) account: Account,
}

/// A Receive between R3 and R6.
#[derive(Debug)]
struct Open {
    id: u8,
    data: String,
    popped: bool,
}

/// What the trace itself shows of BRC-S6.
#[derive(Debug, Default)]
pub(crate) struct Account {
    pub(crate) received: u64,
    pub(crate) returned: u64,
}

/// A result as a trace writes it.
#[derive(Clone, Debug)]
pub(crate) enum Told {
    Returns(String),
    Fails(&'static str),
}

fn returns(text: &str) -> Told {
    Told::Returns(format!("\"{text}\""))
}

fn message(data: Option<String>) -> Told {
    data.map_or(Told::Returns("null".into()), |data| returns(&data))
}

impl Oracle {
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            capacity,
            queue: Vec::new(),
            cancelled: false,
            closed: false,
            dropped: 0,
            rejected: 0,
            open: None,
            account: Account::default(),
        }
    }

    /// Nothing in progress: received = returned + dropped + rejected + pending (BRC-S6).
    pub(crate) fn balances(&self) -> bool {
        let gone = self.account.returned + self.dropped + self.rejected;
        self.open.is_some() || self.account.received == gone + self.queue.len() as u64
    }

    /// The cases of step 2 of a Receive.
    pub(crate) fn intake(&self) -> Vec<&'static str> {
        if self.closed || self.open.is_some() {
            return Vec::new();
        }
        let room = self.queue.len() < self.capacity;
        let cases = [(room, "queue"), (self.cancelled, "reject")];
        possible(&cases)
    }

    /// The cases of a Next.
    pub(crate) fn offer(&self, ctx: &str) -> Vec<&'static str> {
        let cases = [
            (self.closed || !self.queue.is_empty(), "data"),
            (ctx != "live", "caller"),
            (self.cancelled, "parent"),
        ];
        possible(&cases)
    }

    pub(crate) fn receive(&mut self, data: &str, case: Option<&str>) -> Told {
        match self.decide(data, case) {
            Some(told) => told,
            None => {
                let oldest = self.pop();
                self.queue.push(data.to_owned());
                returns(if oldest.is_some() {
                    "dropped_oldest"
                } else {
                    "queued"
                })
            }
        }
    }

    pub(crate) fn receive_begin(&mut self, id: u8, data: &str, case: Option<&str>) -> Told {
        match self.decide(data, case) {
            Some(told) => told,
            None => {
                let data = data.to_owned();
                let popped = false;
                self.open = Some(Open { id, data, popped });
                returns("full")
            }
        }
    }

    /// R1 to R3; none if the queue is full.
    fn decide(&mut self, data: &str, case: Option<&str>) -> Option<Told> {
        if self.open.is_some() {
            return Some(Told::Fails("would_block"));
        }
        self.account.received += 1;
        if self.closed || case == Some("reject") {
            self.rejected += 1;
            return Some(returns("rejected"));
        }
        case?;
        self.queue.push(data.to_owned());
        Some(returns("queued"))
    }

    fn pop(&mut self) -> Option<String> {
        if self.queue.is_empty() {
            return None;
        }
        self.dropped += 1;
        Some(self.queue.remove(0))
    }

    pub(crate) fn receive_pop(&mut self, id: u8) -> Told {
        match &mut self.open {
            Some(open) if open.id == id && !open.popped => open.popped = true,
            _ => return Told::Fails("no_such_receive"),
        }
        message(self.pop())
    }

    pub(crate) fn receive_push(&mut self, id: u8) -> Told {
        match self.open.take() {
            Some(open) if open.id == id && open.popped => {
                self.queue.push(open.data);
                returns("queued")
            }
            other => {
                self.open = other;
                Told::Fails("no_such_receive")
            }
        }
    }

    pub(crate) fn next(&mut self, ctx: &str, case: Option<&str>) -> Told {
        match case {
            Some("data") if self.queue.is_empty() => message(None),
            Some("data") => {
                self.account.returned += 1;
                message(Some(self.queue.remove(0)))
            }
            Some("caller") if ctx == "expired" => Told::Fails("deadline_exceeded"),
            Some("caller") => Told::Fails("context_canceled"),
            Some("parent") if self.open.is_none() => {
                self.closed = true;
                Told::Fails("context_canceled")
            }
            _ => Told::Fails("would_block"),
        }
    }

    pub(crate) fn cancel(&mut self) -> Told {
        self.cancelled = true;
        message(None)
    }

    pub(crate) fn broadcast(ok: bool) -> Told {
        if ok {
            returns("/warpnet/stats/1.0.0")
        } else {
            Told::Fails("publish_failed")
        }
    }

    pub(crate) fn state(&self) -> Told {
        let Self {
            cancelled,
            closed,
            dropped,
            rejected,
            ..
        } = self;
        let pending = self.queue.len();
        Told::Returns(format!(
            r#"{{"cancelled":{cancelled},"closed":{closed},"dropped":{dropped},"pending":{pending},"rejected":{rejected}}}"#
        ))
    }
}

fn possible(cases: &[(bool, &'static str)]) -> Vec<&'static str> {
    let possible = cases.iter().filter(|(possible, _)| *possible);
    possible.map(|(_, name)| *name).collect()
}
