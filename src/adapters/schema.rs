//! What a database keeps, and how its writes become those of tables.

use redb::{ReadTransaction, TableDefinition, WriteTransaction};

/// One record by name: the format of the file, and whatever single values a schema has.
pub(crate) const META: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("meta");

/// Name of the format in [`META`].
const FORMAT: &str = "format";

/// How an image and its writes are kept in tables. A schema may keep a part of its image by calling
/// another's functions, as long as the names of their tables differ; the record `format` of table
/// `meta` belongs to the database.
pub trait Schema: 'static {
    /// The image.
    type Disk;
    /// One atomic write to it.
    type Write;

    /// Names the format of the file with its version; files of another are refused.
    fn format() -> String;

    /// Makes the tables, empty. What they held before is gone.
    ///
    /// # Errors
    /// Those of the database.
    fn clear(to: &WriteTransaction) -> Result<(), redb::Error>;

    /// Reads the whole image and checks every record.
    ///
    /// # Errors
    /// Those of the database, or the first record that no write makes.
    fn load(from: &ReadTransaction) -> Result<Self::Disk, Flaw>;

    /// Carries out one write.
    ///
    /// # Errors
    /// Those of the database.
    fn apply(to: &WriteTransaction, write: &Self::Write) -> Result<(), redb::Error>;
}

/// Why an image cannot be loaded.
#[derive(Debug)]
#[non_exhaustive]
pub enum Flaw {
    /// The database says so.
    Database(redb::Error),
    /// A record that no write makes: which, and what is wrong with it.
    Record(String),
}

impl<E: Into<redb::Error>> From<E> for Flaw {
    fn from(error: E) -> Self {
        Self::Database(error.into())
    }
}

pub(crate) fn write_format(to: &WriteTransaction, format: &str) -> Result<(), redb::Error> {
    to.open_table(META)?.insert(FORMAT, format.as_bytes())?;
    Ok(())
}

/// The format of a file; none if nothing says so.
pub(crate) fn read_format(from: &ReadTransaction) -> Result<Option<String>, redb::Error> {
    let table = match from.open_table(META) {
        Ok(table) => table,
        Err(redb::TableError::Storage(error)) => return Err(error.into()),
        Err(_) => return Ok(None),
    };
    let format = table.get(FORMAT)?;
    Ok(format.map(|format| String::from_utf8_lossy(format.value()).into_owned()))
}
