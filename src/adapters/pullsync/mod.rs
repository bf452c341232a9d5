//! Pullsync on real connections and a database.
