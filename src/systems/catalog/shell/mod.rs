//! The engine that many threads share: reads without locks on an immutable table, accesses counted without
//! contention, one writer at a time.
