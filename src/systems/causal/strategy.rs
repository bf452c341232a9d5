//! Where the reference and its ancestors differ. One choice per known defect (section 9) or mutant.

use serde::Serialize;

/// The choices of one node. [`Strategies::REFERENCE`] is what the spec demands and what users run.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
pub struct Strategies {
    /// D1.
    pub duplicates: Duplicates,
    /// Rule 4.
    pub dependencies: Dependencies,
    /// D2, D31.
    pub submit_order: SubmitOrder,
    /// D3.
    pub stamping: Stamping,
    /// D4 and early confirmations.
    pub confirmation: Confirmation,
    /// D5.
    pub delivery_order: DeliveryOrder,
    /// D6.
    pub malformed: Malformed,
    /// D7, D8.
    pub torn_tail: TornTail,
    /// D9.
    pub removal: Removal,
    /// D10.
    pub clock_save: ClockSave,
    /// D11.
    pub receivers: Receivers,
    /// D12.
    pub sending: Sending,
    /// D16.
    pub waiting_entry: WaitingEntry,
    /// D17.
    pub delivered_entries: DeliveredEntries,
    /// D18.
    pub overflow: Overflow,
    /// D19.
    pub rename: RenameContents,
    /// D20.
    pub representable: Representable,
    /// D25.
    pub create: CreateEffect,
    /// D26.
    pub delete: DeleteEffect,
    /// D27, D28.
    pub identity: Identity,
    /// D29.
    pub absent: Absent,
    /// D33.
    pub membership: Membership,
}

macro_rules! choices {
    ($($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident),+ $(,)? })+) => {
        $($(#[$doc])* #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
        pub enum $name { $($(#[$vdoc])* $variant),+ })+
    };
}

choices! {
    /// When a message counts as delivered before.
    Duplicates {
        /// If its own entry is at or below the clock's (rule 4).
        AtOrBelow,
        /// Only if its own entry equals the clock's and all others are reached (D1).
        EqualOnly,
    }
    /// What must have been delivered before a message.
    Dependencies {
        /// Everything its stamp names (rule 4).
        All,
        /// The sender's own messages only: plain FIFO. A mutant.
        OwnOnly,
    }
    /// In which order a submit becomes durable.
    SubmitOrder {
        /// Log, then state (6.2).
        LogFirst,
        /// Own clock entry, then log, then effect (D2).
        ClockFirst,
        /// Effect and clock, then log (D31).
        StateFirst,
    }
    /// When a message gets its stamp.
    Stamping {
        /// When it is submitted.
        AtSubmit,
        /// When it is sent: the log holds it unstamped (D3). Text only.
        AtSend,
    }
    /// What counts as stored by a peer.
    Confirmation {
        /// What it says it synced.
        AfterSync,
        /// What it says it received, before its sync (a mutant of the receiver).
        BeforeSync,
        /// What was written to the network (D4).
        OnWrite,
    }
    /// In which order a delivery becomes durable.
    DeliveryOrder {
        /// Effect and clock in one, then the removal (6.4).
        Together,
        /// Effect, then clock, then the removal (D5).
        EffectFirst,
    }
    /// What becomes of bytes that cannot be decoded.
    Malformed {
        /// The transfer is refused (6.3).
        Refused,
        /// They are stored, and end the node when it wants to apply them; so does an opaque payload (D6).
        Fatal,
    }
    /// What recovery does with an incomplete record at the end of a log.
    TornTail {
        /// Cuts it (6.6).
        Cut,
        /// Leaves it: the next append is glued to it (D7, D8).
        Kept,
    }
    /// How entries leave a log.
    Removal {
        /// Atomically (6.1).
        Atomic,
        /// The rest is copied to the front, then the file is cut: two writes (D9).
        InPlace,
    }
    /// How the clock is saved.
    ClockSave {
        /// With the rest of the state record, atomically.
        Atomic,
        /// A file of its own is overwritten: a crash may leave a prefix of it (D10).
        InPlace,
    }
    /// How many receivers a node has.
    Receivers {
        /// One, with the node's clock.
        One,
        /// One per peer, each with a clock of its own, all on one socket: transfers reach them in turn (D11).
        PerPeer,
    }
    /// To whom a node sends.
    Sending {
        /// To each peer by itself.
        Independent,
        /// To one peer after the other: a peer that confirms nothing stops those behind it (D12).
        InTurn,
    }
    /// What the scan does at an entry that waits.
    WaitingEntry {
        /// Goes on to the next.
        Passed,
        /// Looks at it for ever (D16).
        LookedAtForever,
    }
    /// What becomes of a delivered entry.
    DeliveredEntries {
        /// It is removed.
        Removed,
        /// It stays (D17).
        Kept,
    }
    /// What follows the largest clock value.
    Overflow {
        /// The submit fails (rule 3).
        Refused,
        /// 0 (D18).
        Wraps,
    }
    /// Where a parsed rename takes contents from.
    RenameContents {
        /// The same triple.
        SameTriple,
        /// Another list: it always panics (D19).
        WrongList,
    }
    /// Whether formatters check names and payloads.
    Representable {
        /// Yes.
        Checked,
        /// No (D20).
        Unchecked,
    }
    /// What create does to the mails of its mailbox.
    CreateEffect {
        /// Nothing.
        LeavesMails,
        /// Empties them (D25).
        ResetsMails,
    }
    /// What delete does to the mails of its mailbox.
    DeleteEffect {
        /// Drops what its sender had seen.
        DropsSeen,
        /// Drops all (D26).
        DropsAll,
    }
    /// What identifies an add.
    Identity {
        /// The message that made it.
        Dot,
        /// Its tag (D27, D28).
        Tag,
    }
    /// What removing an absent pair does.
    Absent {
        /// Nothing.
        Ignored,
        /// Ends the node (D29).
        Fatal,
    }
    /// Whether receive checks that sender and clock are of the group.
    Membership {
        /// Yes (6.3).
        Checked,
        /// No: an unknown member's entry is never reached, a missing own entry counts as 0 (D33).
        Unchecked,
    }
}

impl Strategies {
    /// As the spec demands.
    pub const REFERENCE: Self = Self {
        duplicates: Duplicates::AtOrBelow,
        dependencies: Dependencies::All,
        submit_order: SubmitOrder::LogFirst,
        stamping: Stamping::AtSubmit,
        confirmation: Confirmation::AfterSync,
        delivery_order: DeliveryOrder::Together,
        malformed: Malformed::Refused,
        torn_tail: TornTail::Cut,
        removal: Removal::Atomic,
        clock_save: ClockSave::Atomic,
        receivers: Receivers::One,
        sending: Sending::Independent,
        waiting_entry: WaitingEntry::Passed,
        delivered_entries: DeliveredEntries::Removed,
        overflow: Overflow::Refused,
        rename: RenameContents::SameTriple,
        representable: Representable::Checked,
        create: CreateEffect::LeavesMails,
        delete: DeleteEffect::DropsSeen,
        identity: Identity::Dot,
        absent: Absent::Ignored,
        membership: Membership::Checked,
    };

    /// The text versions v0.1.0 to v0.4.1: every remedy taken out that they lack (section 9), but for
    /// [`Receivers::PerPeer`] and [`Sending::InTurn`]. With these a message is seldom delivered at all,
    /// so that nothing else is observed; their variants stand alone. The submit order, D2's among them,
    /// follows from stamping at sending and from the effect that comes first.
    pub const UPSTREAM_TEXT: Self = Self {
        duplicates: Duplicates::EqualOnly,
        submit_order: SubmitOrder::StateFirst,
        stamping: Stamping::AtSend,
        confirmation: Confirmation::OnWrite,
        delivery_order: DeliveryOrder::EffectFirst,
        malformed: Malformed::Fatal,
        torn_tail: TornTail::Kept,
        removal: Removal::InPlace,
        clock_save: ClockSave::InPlace,
        overflow: Overflow::Wraps,
        rename: RenameContents::WrongList,
        representable: Representable::Unchecked,
        create: CreateEffect::ResetsMails,
        delete: DeleteEffect::DropsAll,
        identity: Identity::Tag,
        membership: Membership::Unchecked,
        ..Self::REFERENCE
    };

    /// The framed version `master`: every remedy taken out that it lacks (section 9), but for
    /// [`Sending::InTurn`], whose variant stands alone.
    pub const UPSTREAM_FRAMED: Self = Self {
        duplicates: Duplicates::EqualOnly,
        submit_order: SubmitOrder::ClockFirst,
        delivery_order: DeliveryOrder::EffectFirst,
        malformed: Malformed::Fatal,
        torn_tail: TornTail::Kept,
        removal: Removal::InPlace,
        clock_save: ClockSave::InPlace,
        waiting_entry: WaitingEntry::LookedAtForever,
        delivered_entries: DeliveredEntries::Kept,
        overflow: Overflow::Wraps,
        identity: Identity::Tag,
        absent: Absent::Fatal,
        membership: Membership::Unchecked,
        ..Self::REFERENCE
    };
}
