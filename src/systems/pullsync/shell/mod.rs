//! What the routines of a running node share.
