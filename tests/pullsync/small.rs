//! Nodes whose addresses are numbers: the upper half of an address is its bin.

use concord::systems::pullsync::{
    Chunk, Delivery, Disk, Mode, Small, SmallData, Storage as _, Strategies,
};

pub(crate) const REFERENCE: Strategies = Strategies::REFERENCE;

pub(crate) fn chunk(address: u8) -> Chunk<Small> {
    Chunk {
        address,
        data: SmallData::Valid,
        stamp: true,
    }
}

/// A chunk that is not what its address says.
pub(crate) fn invalid(address: u8) -> Chunk<Small> {
    Chunk {
        data: SmallData::Invalid,
        ..chunk(address)
    }
}

/// A chunk whose stamp is not verifiable.
pub(crate) fn unstamped(address: u8) -> Chunk<Small> {
    Chunk {
        stamp: false,
        ..chunk(address)
    }
}

pub(crate) fn delivery(chunk: Chunk<Small>) -> Delivery<Small> {
    Delivery {
        address: Some(chunk.address),
        data: chunk.data,
        stamp: chunk.stamp,
    }
}

/// A disk to which chunks were uploaded, one after the other.
pub(crate) fn holding(addresses: &[u8], how: Strategies) -> Disk<Small> {
    let mut disk = Disk::new(1, how);
    for address in addresses {
        disk.put(Mode::Upload, &[chunk(*address)]).unwrap();
    }
    disk
}
