//! Decoders on arbitrary bytes.
