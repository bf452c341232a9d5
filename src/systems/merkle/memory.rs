//! A backend that is a value in memory.

use std::convert::Infallible;

use super::block::{Disk, Ids, Write};
use super::driver::Backend;

/// Something that writes can be applied to.
pub trait Image<W>: Clone + Default {
    /// Carries out one write.
    fn apply(&mut self, write: &W);
}

impl<I: Ids> Image<Write<I>> for Disk<I> {
    fn apply(&mut self, write: &Write<I>) {
        Self::apply(self, write);
    }
}

/// Keeps an image in memory; survives the crash of a replica, not that of the process.
#[derive(Clone, Debug, Default)]
pub struct Memory<D> {
    image: D,
}

impl<W, D: Image<W>> Backend<D, W> for Memory<D> {
    type Error = Infallible;

    fn load(&mut self) -> Result<D, Infallible> {
        Ok(self.image.clone())
    }

    fn write(&mut self, write: &W) -> Result<(), Infallible> {
        self.image.apply(write);
        Ok(())
    }

    fn sync(&mut self) -> Result<(), Infallible> {
        Ok(())
    }

    fn wipe(&mut self) -> Result<(), Infallible> {
        self.image = D::default();
        Ok(())
    }
}
