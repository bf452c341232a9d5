//! A directory in memory that remembers every operation, so that it can be had as it was after a crash
//! at any of them.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::sync::{Arc, Mutex};

use concord::adapters::causal::Directory;

/// One operation of a file system that changes something.
#[derive(Clone, Debug)]
pub(crate) enum Operation {
    Create(String, Vec<u8>),
    Append(String, Vec<u8>),
    Cut(String, u64),
    Sync(String),
    Rename(String, String),
    Remove(String),
    SyncNames,
}

/// What a crash takes back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Loss {
    /// Nothing that was done: the process was killed.
    Process,
    /// What was not synced: the machine lost its power.
    Power,
}

/// A directory; clones are the same one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sim(Arc<Mutex<State>>);

#[derive(Clone, Debug, Default)]
struct State {
    content: Content,
    operations: Vec<Operation>,
}

/// Files have numbers, since a name may move from one to another.
#[derive(Clone, Debug, Default)]
struct Content {
    names: BTreeMap<String, usize>,
    durable_names: BTreeMap<String, usize>,
    files: Vec<File>,
}

#[derive(Clone, Debug, Default)]
struct File {
    bytes: Vec<u8>,
    durable: Vec<u8>,
}

/// The directory after each crash at operation `at`: of the machine before it, and of the process.
pub(crate) fn images(operations: &[Operation], at: usize) -> Vec<Sim> {
    let mut images = killed(operations, at);
    images.push(content_at(operations, at).after(Loss::Power));
    images
}

/// The directory after each end of the process at operation `at`: before it, and in the middle of
/// what it writes, byte by byte.
pub(crate) fn killed(operations: &[Operation], at: usize) -> Vec<Sim> {
    let content = content_at(operations, at);
    let mut images = vec![content.after(Loss::Process)];
    let (name, bytes) = match operations.get(at) {
        Some(Operation::Create(name, bytes) | Operation::Append(name, bytes)) => (name, bytes),
        _ => return images,
    };
    for kept in 0..bytes.len() {
        let mut torn = content.clone();
        if let Operation::Create(..) = operations[at] {
            torn.create(name);
        }
        let appended = torn.append(name, &bytes[..kept]);
        appended.expect("as the whole one");
        images.push(torn.after(Loss::Process));
    }
    images
}

fn content_at(operations: &[Operation], at: usize) -> Content {
    let mut content = Content::default();
    for operation in &operations[..at] {
        content.perform(operation).expect("it was performed before");
    }
    content
}

impl Sim {
    /// Everything that was done so far.
    pub(crate) fn operations(&self) -> Vec<Operation> {
        self.0.lock().expect("no panic").operations.clone()
    }

    /// The content of a file.
    pub(crate) fn content(&self, file: &str) -> Option<Vec<u8>> {
        self.clone().read(file).expect("memory does not fail")
    }

    /// Replaces the content of a file behind the back of its user.
    pub(crate) fn put(&self, file: &str, bytes: &[u8]) {
        let content = &mut self.0.lock().expect("no panic").content;
        content.create(file);
        content.append(file, bytes).expect("it was just made");
    }

    /// Performs operations that were performed elsewhere.
    pub(crate) fn perform(&self, operations: &[Operation]) -> io::Result<()> {
        let mut operations = operations.iter().cloned();
        operations.try_for_each(|operation| self.one(operation))
    }

    fn one(&self, operation: Operation) -> io::Result<()> {
        let mut state = self.0.lock().expect("no panic");
        state.content.perform(&operation)?;
        state.operations.push(operation);
        Ok(())
    }
}

impl Content {
    fn perform(&mut self, operation: &Operation) -> io::Result<()> {
        match operation {
            Operation::Create(name, bytes) => {
                self.create(name);
                self.append(name, bytes)
            }
            Operation::Append(name, bytes) => self.append(name, bytes),
            Operation::Cut(name, len) => {
                let len = usize::try_from(*len).expect("files in memory are small");
                self.file(name)?.bytes.truncate(len);
                Ok(())
            }
            Operation::Sync(name) => {
                let file = self.file(name)?;
                file.durable.clone_from(&file.bytes);
                Ok(())
            }
            Operation::Rename(from, to) => {
                let number = self.names.remove(from).ok_or(ErrorKind::NotFound)?;
                self.names.insert(to.clone(), number);
                Ok(())
            }
            Operation::Remove(name) => match self.names.remove(name) {
                Some(_) => Ok(()),
                None => Err(ErrorKind::NotFound.into()),
            },
            Operation::SyncNames => {
                self.durable_names.clone_from(&self.names);
                Ok(())
            }
        }
    }

    fn create(&mut self, name: &str) {
        self.names.insert(name.to_owned(), self.files.len());
        self.files.push(File::default());
    }

    fn append(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.file(name)?.bytes.extend(bytes);
        Ok(())
    }

    fn file(&mut self, name: &str) -> io::Result<&mut File> {
        let number = self.names.get(name).ok_or(ErrorKind::NotFound)?;
        Ok(&mut self.files[*number])
    }

    /// What is there once somebody looks again.
    fn after(&self, loss: Loss) -> Sim {
        let mut content = self.clone();
        match loss {
            Loss::Process => content.durable_names.clone_from(&self.names),
            Loss::Power => content.names.clone_from(&self.durable_names),
        }
        for file in &mut content.files {
            match loss {
                Loss::Process => file.durable.clone_from(&file.bytes),
                Loss::Power => file.bytes.clone_from(&file.durable),
            }
        }
        let operations = Vec::new();
        Sim(Arc::new(Mutex::new(State {
            content,
            operations,
        })))
    }
}

impl Directory for Sim {
    fn name(&self) -> String {
        String::from("memory")
    }

    fn files(&mut self) -> io::Result<Vec<String>> {
        let state = self.0.lock().expect("no panic");
        Ok(state.content.names.keys().cloned().collect())
    }

    fn read(&mut self, file: &str) -> io::Result<Option<Vec<u8>>> {
        let mut state = self.0.lock().expect("no panic");
        Ok(state.content.file(file).ok().map(|file| file.bytes.clone()))
    }

    fn create(&mut self, file: &str, content: &[u8]) -> io::Result<()> {
        self.one(Operation::Create(file.to_owned(), content.to_vec()))
    }

    fn append(&mut self, file: &str, bytes: &[u8]) -> io::Result<()> {
        self.one(Operation::Append(file.to_owned(), bytes.to_vec()))
    }

    fn cut(&mut self, file: &str, len: u64) -> io::Result<()> {
        self.one(Operation::Cut(file.to_owned(), len))
    }

    fn sync(&mut self, file: &str) -> io::Result<()> {
        self.one(Operation::Sync(file.to_owned()))
    }

    fn rename(&mut self, from: &str, to: &str) -> io::Result<()> {
        self.one(Operation::Rename(from.to_owned(), to.to_owned()))
    }

    fn remove(&mut self, file: &str) -> io::Result<()> {
        self.one(Operation::Remove(file.to_owned()))
    }

    fn sync_names(&mut self) -> io::Result<()> {
        self.one(Operation::SyncNames)
    }
}
