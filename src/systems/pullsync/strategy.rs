//! Where the reference and its ancestors differ. One choice per known defect (section 11) or mutant.

use serde::Serialize;

/// The choices of one node. [`Strategies::REFERENCE`] is what the spec demands and what users run.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
pub struct Strategies {
    /// D1 to D5, D7.
    pub intervals: Intervals,
    /// D22.
    pub bin: BinCheck,
    /// D23.
    pub range: RangeCheck,
    /// D30.
    pub cursor: Cursor,
    /// D31.
    pub failed_scan: FailedScan,
    /// D20.
    pub presence: Presence,
    /// D29.
    pub collected: Collected,
    /// D13.
    pub repeats: Repeats,
    /// D14.
    pub zero: ZeroAddress,
    /// D15, D16.
    pub topmost: Topmost,
    /// D17.
    pub stamps: Stamps,
    /// D18.
    pub put_error: PutError,
    /// D19.
    pub hook: Hook,
    /// D43.
    pub partial: Partial,
    /// D24.
    pub keys: Keys,
    /// D25.
    pub unregister: Unregister,
    /// D26.
    pub early_cancel: EarlyCancel,
    /// D12.
    pub early_want: EarlyWant,
    /// D33.
    pub second_close: SecondClose,
    /// D27.
    pub cancel_deadline: CancelDeadline,
    /// D28.
    pub unopened: Unopened,
    /// D35.
    pub sealing: Sealing,
    /// D36.
    pub failed_worker: FailedWorker,
    /// D37.
    pub returning: Returning,
    /// D38.
    pub wrong_length: WrongLength,
    /// D39.
    pub fetching: Fetching,
    /// D40.
    pub lost_database: LostDatabase,
    /// D41.
    pub eviction: Eviction,
    /// D42.
    pub ranges: Ranges,
    /// D44.
    pub live_retry: LiveRetry,
    /// D45.
    pub keys_of_bins: KeysOfBins,
    /// When writes are synced that others hear of. A mutant.
    pub syncing: Syncing,
    /// What content is stored. A mutant.
    pub content: Content,
    /// What deliveries are accepted. A mutant.
    pub solicited: Solicited,
    /// How many hashes an offer has. A mutant.
    pub pages: Pages,
    /// What becomes of a chunk that is put again. A mutant.
    pub again: Again,
    /// Which number is next. A mutant.
    pub numbers: Numbers,
    /// What becomes of the handlers of a peer that is gone. A mutant.
    pub gone: Gone,
}

/// How interval sets are added to, searched and parsed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
pub struct Intervals {
    /// D1.
    pub inside: Inside,
    /// D2.
    pub edge: Edge,
    /// D3.
    pub inverted: Inverted,
    /// D4.
    pub full: Full,
    /// D5.
    pub zero_end: ZeroEnd,
    /// D7.
    pub parse: Parse,
}

macro_rules! choices {
    ($($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident),+ $(,)? })+) => {
        $($(#[$doc])* #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
        pub enum $name { $($(#[$vdoc])* $variant),+ })+
    };
}

choices! {
    /// A range added that lies inside another.
    Inside {
        /// It changes nothing (4).
        Merged,
        /// It is kept beside the other (D1).
        Kept,
    }
    /// Neighbours of a range that ends at the largest number.
    Edge {
        /// No arithmetic overflows (4).
        Saturating,
        /// The number after the largest is 0 (D2).
        Wrapping,
    }
    /// An inverted range.
    Inverted {
        /// It is refused (4).
        Refused,
        /// It is stored (D3).
        Stored,
    }
    /// What is missing from a set that is full.
    Full {
        /// Nothing (4).
        Nothing,
        /// What begins at 0 (D4).
        FromZero,
    }
    /// A gap that ends at 0.
    ZeroEnd {
        /// 0 is its end (4).
        Bound,
        /// It has no end (D5).
        Unbounded,
    }
    /// What parsing leaves of the former set.
    Parse {
        /// All if it fails, nothing otherwise (4).
        Whole,
        /// What was not overwritten yet (D7).
        Piecewise,
    }
    /// A bin outside 0..=31 in a request.
    BinCheck {
        /// It is refused (3.1).
        Refused,
        /// Its lowest eight bits are taken (D22).
        Truncated,
    }
    /// A requested range that is inverted or ends at 0.
    RangeCheck {
        /// It is refused (3.1).
        Refused,
        /// An inverted one is an empty page, an end of 0 is none (D23).
        Served,
    }
    /// What the cursor of a bin is.
    Cursor {
        /// The highest number ever assigned (3).
        EverAssigned,
        /// The highest number whose entry survives (D30).
        Surviving,
    }
    /// An index iteration that fails.
    FailedScan {
        /// An error (3.1).
        Reported,
        /// A page that is complete up to the end of the range (D31).
        Complete,
    }
    /// Which chunks a node has.
    Presence {
        /// Those in the pull index (3).
        Index,
        /// Those whose data it holds (D20).
        Data,
    }
    /// Wanted chunks of which some vanished since the offer.
    Collected {
        /// The others are delivered (8.1).
        LeftOut,
        /// Nothing is delivered (D29).
        NothingDelivered,
    }
    /// A hash that occurs twice in an offer.
    Repeats {
        /// It is wanted once (7).
        Once,
        /// It is wanted twice (D13).
        EachTime,
    }
    /// A zero hash in an offer.
    ZeroAddress {
        /// It is refused (7).
        Refused,
        /// It is wanted (D14).
        Wanted,
    }
    /// The topmost of an offer.
    Topmost {
        /// It lies in the requested range and is not the largest number (7).
        Checked,
        /// It may be anything but the largest number (D15).
        Unchecked,
        /// It may be anything, the largest number too (D15, D16).
        MaxAllowed,
    }
    /// A chunk whose stamp is not verifiable.
    Stamps {
        /// It is left out (7).
        LeftOut,
        /// It ends the exchange (D17).
        Fatal,
        /// It ends the exchange if it is the last one (D17, first repair).
        FatalIfLast,
    }
    /// A put that fails after the stream broke.
    PutError {
        /// Its error is that of the exchange (7).
        Reported,
        /// The error of reading is (D18).
        Hidden,
    }
    /// When the hook for received chunks is called.
    Hook {
        /// For what was stored (7).
        AfterPut,
        /// For what was accepted (D19).
        BeforePut,
    }
    /// A page of which a part arrived.
    Partial {
        /// The part is stored and nothing is sealed (7).
        Unsealed,
        /// The part is stored and the page sealed (D43).
        Sealed,
    }
    /// Whose ruids share a table.
    Keys {
        /// Those of one peer (8.1).
        PerPeer,
        /// All (D24).
        Shared,
    }
    /// What a handler that ends unregisters.
    Unregister {
        /// Its own registration (8.1).
        Own,
        /// Whatever stands under its key (D25).
        Key,
    }
    /// A cancel that finds no handler.
    EarlyCancel {
        /// It is remembered (8.3).
        Pending,
        /// It is forgotten (D26).
        Forgotten,
    }
    /// A want that arrives before the offer was sent.
    EarlyWant {
        /// It is kept (6).
        Kept,
        /// It is lost (D12).
        Lost,
    }
    /// A second close.
    SecondClose {
        /// It does nothing (8.4).
        Harmless,
        /// It ends the node (D33).
        Fatal,
    }
    /// Under which deadline a cancel is sent.
    CancelDeadline {
        /// Its own (7).
        Own,
        /// That of the exchange: after a timeout it is not sent (D27).
        OfExchange,
    }
    /// A stream that could not be opened.
    Unopened {
        /// Nothing is cancelled (7).
        NothingCanceled,
        /// Ruid 0 is cancelled (D28).
        ZeroCanceled,
    }
    /// How a range is sealed.
    Sealing {
        /// Read, add and write in one step (9.4).
        OneStep,
        /// The set is read when the exchange begins (D35).
        ReadEarly,
    }
    /// A worker that failed.
    FailedWorker {
        /// It is started again at the next change (9.1).
        StartedAgain,
        /// It stays as it is while its bin is active (D36).
        LeftAlone,
    }
    /// The cursors of a peer that was dropped.
    Returning {
        /// They are forgotten (9.1).
        Forgotten,
        /// They are kept (D37).
        Kept,
    }
    /// A cursor list of the wrong length.
    WrongLength {
        /// It is discarded (9.2).
        Discarded,
        /// It is kept, and bins beyond it are never started (D38).
        Kept,
    }
    /// How cursors are fetched.
    Fetching {
        /// From all peers at once (9.1).
        Concurrent,
        /// From one peer after the other (D39).
        OneByOne,
    }
    /// A set that reaches beyond the cursor.
    LostDatabase {
        /// It is deleted (9.2).
        Reset,
        /// It stays (D40).
        Kept,
    }
    /// Sets that vouch for chunks that the node evicts.
    Eviction {
        /// They are deleted (9.5).
        Reset,
        /// They stay (D41).
        Kept,
    }
    /// With what ranges workers start.
    Ranges {
        /// With what is missing (9.3).
        Missing,
        /// Hist up to the cursor, live after it (D42).
        ByCursor,
    }
    /// Where a live worker goes on after a failure.
    LiveRetry {
        /// At the smallest missing number above the cursor (9.3).
        Missing,
        /// At 1 (D44).
        One,
    }
    /// Which sets belong to a bin.
    KeysOfBins {
        /// Those whose whole key says so (4).
        Whole,
        /// Those whose key begins so (D45).
        Prefix,
    }
    /// When a put or a deletion is synced.
    Syncing {
        /// Before anybody can hear of it.
        BeforeTold,
        /// Some time.
        Later,
    }
    /// A delivered chunk that is not valid.
    Content {
        /// It ends the exchange (7).
        Checked,
        /// It is stored.
        Unchecked,
    }
    /// A delivered chunk that was not wanted.
    Solicited {
        /// It ends the exchange (7).
        Checked,
        /// It is stored in place of the next one that was.
        Unchecked,
    }
    /// The page limit.
    Pages {
        /// It is kept (3.1).
        Limited,
        /// It is exceeded by one.
        OneMore,
    }
    /// A chunk in the pull index that is put.
    Again {
        /// It stays as it is (3).
        LeftAlone,
        /// It gets another number beside the one it has.
        Numbered,
    }
    /// The number that is assigned next.
    Numbers {
        /// The one after the highest ever assigned (3).
        AfterHighest,
        /// The one after the highest that survives.
        AfterSurviving,
    }
    /// Handlers of a peer that is not connected any more.
    Gone {
        /// They are cancelled (8.4).
        Canceled,
        /// They go on.
        LeftRunning,
    }
}

impl Intervals {
    /// What the spec demands.
    pub const REFERENCE: Self = Self {
        inside: Inside::Merged,
        edge: Edge::Saturating,
        inverted: Inverted::Refused,
        full: Full::Nothing,
        zero_end: ZeroEnd::Bound,
        parse: Parse::Whole,
    };

    /// No remedy.
    pub const UPSTREAM: Self = Self {
        inside: Inside::Kept,
        edge: Edge::Wrapping,
        inverted: Inverted::Stored,
        full: Full::FromZero,
        zero_end: ZeroEnd::Unbounded,
        parse: Parse::Piecewise,
    };
}

impl Strategies {
    /// What the spec demands.
    pub const REFERENCE: Self = Self {
        intervals: Intervals::REFERENCE,
        bin: BinCheck::Refused,
        range: RangeCheck::Refused,
        cursor: Cursor::EverAssigned,
        failed_scan: FailedScan::Reported,
        presence: Presence::Index,
        collected: Collected::LeftOut,
        repeats: Repeats::Once,
        zero: ZeroAddress::Refused,
        topmost: Topmost::Checked,
        stamps: Stamps::LeftOut,
        put_error: PutError::Reported,
        hook: Hook::AfterPut,
        partial: Partial::Unsealed,
        keys: Keys::PerPeer,
        unregister: Unregister::Own,
        early_cancel: EarlyCancel::Pending,
        early_want: EarlyWant::Kept,
        second_close: SecondClose::Harmless,
        cancel_deadline: CancelDeadline::Own,
        unopened: Unopened::NothingCanceled,
        sealing: Sealing::OneStep,
        failed_worker: FailedWorker::StartedAgain,
        returning: Returning::Forgotten,
        wrong_length: WrongLength::Discarded,
        fetching: Fetching::Concurrent,
        lost_database: LostDatabase::Reset,
        eviction: Eviction::Reset,
        ranges: Ranges::Missing,
        live_retry: LiveRetry::Missing,
        keys_of_bins: KeysOfBins::Whole,
        syncing: Syncing::BeforeTold,
        content: Content::Checked,
        solicited: Solicited::Checked,
        pages: Pages::Limited,
        again: Again::LeftAlone,
        numbers: Numbers::AfterHighest,
        gone: Gone::Canceled,
    };

    /// The version that was studied, with no remedy.
    pub const UPSTREAM: Self = Self {
        intervals: Intervals::UPSTREAM,
        bin: BinCheck::Truncated,
        range: RangeCheck::Served,
        cursor: Cursor::Surviving,
        failed_scan: FailedScan::Complete,
        presence: Presence::Data,
        collected: Collected::NothingDelivered,
        repeats: Repeats::EachTime,
        zero: ZeroAddress::Wanted,
        topmost: Topmost::MaxAllowed,
        stamps: Stamps::Fatal,
        put_error: PutError::Hidden,
        hook: Hook::BeforePut,
        keys: Keys::Shared,
        unregister: Unregister::Key,
        early_cancel: EarlyCancel::Forgotten,
        early_want: EarlyWant::Lost,
        second_close: SecondClose::Fatal,
        cancel_deadline: CancelDeadline::OfExchange,
        unopened: Unopened::ZeroCanceled,
        sealing: Sealing::ReadEarly,
        failed_worker: FailedWorker::LeftAlone,
        returning: Returning::Kept,
        wrong_length: WrongLength::Kept,
        fetching: Fetching::OneByOne,
        lost_database: LostDatabase::Kept,
        eviction: Eviction::Kept,
        ranges: Ranges::ByCursor,
        keys_of_bins: KeysOfBins::Prefix,
        ..Self::REFERENCE
    };
}
