//! What routines share.
