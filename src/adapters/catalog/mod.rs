//! The multi-version store of the catalog on the embedded database.
