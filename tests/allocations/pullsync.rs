//! Chunks that arrive.

use concord::systems::pullsync::chunk::{self, Kind, kind};

use crate::allocates_nothing;

#[test]
fn validating_does_not() {
    for length in [100, 4096] {
        let (address, data) = chunk::new(&vec![7; length]).expect("a payload");
        allocates_nothing("chunk::kind", || {
            assert_eq!(kind(&address.0, &data), Kind::Cac);
        });
    }
}
