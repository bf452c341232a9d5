//! The text codec and the files (3, 5).
