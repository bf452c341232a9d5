//! A disk that is opened anew for every start of a node, from a copy of the file as it stood: the
//! file of a process that died.

use std::fs;
use std::path::{Path, PathBuf};

use concord::adapters::{Database, Error, Schema};
use concord::systems::merkle::driver::Backend;

/// A node's disk.
pub(crate) struct Reopening<S: Schema> {
    folder: PathBuf,
    name: String,
    lives: u32,
    open: Option<Database<S>>,
}

impl<S: Schema> Reopening<S> {
    pub(crate) fn new(folder: &Path, name: &str) -> Self {
        Self {
            folder: folder.to_owned(),
            name: name.to_owned(),
            lives: 0,
            open: None,
        }
    }

    fn file(&self) -> PathBuf {
        let (name, lives) = (&self.name, self.lives);
        self.folder.join(format!("{name}-{lives}.redb"))
    }

    fn running(&mut self) -> Result<&mut Database<S>, Error> {
        if self.open.is_none() {
            self.open = Some(Database::open(self.file())?);
        }
        Ok(self.open.as_mut().expect("it has just been opened"))
    }
}

impl<S: Schema> Backend<S::Disk, S::Write> for Reopening<S> {
    type Error = Error;

    fn load(&mut self) -> Result<S::Disk, Error> {
        if let Some(running) = self.open.take() {
            let left = self.file();
            self.lives += 1;
            fs::copy(left, self.file()).expect("the file of the life before is there");
            drop(running);
        }
        self.running()?.load()
    }

    fn write(&mut self, write: &S::Write) -> Result<(), Error> {
        self.running()?.write(write)
    }

    fn sync(&mut self) -> Result<(), Error> {
        self.running()?.sync()
    }

    fn wipe(&mut self) -> Result<(), Error> {
        self.running()?.wipe()
    }
}
