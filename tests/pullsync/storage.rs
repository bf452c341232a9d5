//! The database under the storage contract.
