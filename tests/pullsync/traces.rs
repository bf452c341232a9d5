//! Traces by hand: what each operation answers (12).
