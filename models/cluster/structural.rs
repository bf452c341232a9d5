//! Structural traits for structs that are generic over a protocol.

/// Implements `Clone`, `Eq`, `Hash` and `Debug` field by field. Deriving them would ask the same of
/// the protocol, of which no value stands in the struct.
macro_rules! structural {
    ($name:ident { $($field:ident),+ $(,)? }) => {
        impl<P: Protocol> Clone for $name<P> {
            fn clone(&self) -> Self {
                Self { $($field: self.$field.clone()),+ }
            }
        }

        impl<P: Protocol> PartialEq for $name<P> {
            fn eq(&self, other: &Self) -> bool {
                $(self.$field == other.$field)&&+
            }
        }

        impl<P: Protocol> Eq for $name<P> {}

        impl<P: Protocol> std::hash::Hash for $name<P> {
            fn hash<H: std::hash::Hasher>(&self, hasher: &mut H) {
                $(self.$field.hash(hasher);)+
            }
        }

        impl<P: Protocol> std::fmt::Debug for $name<P> {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($name))
                    $(.field(stringify!($field), &self.$field))+
                    .finish()
            }
        }
    };
}

pub(super) use structural;
