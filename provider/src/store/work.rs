//! What is asked of a database, whichever it is: a statement with its values goes in, rows come out.
//!
//! Both read `$1`, so nearly every statement is one text for both. What is asked owns its values: SQLite
//! does it on a thread of its own, where it may outlive its caller.

use std::sync::Arc;

use rusqlite::types::Value as Cell;
use sqlx::Row as _;
use sqlx::postgres::PgRow;

use super::{Id, StoreError};

/// Whether a statement writes.
#[derive(Clone, Copy)]
pub(super) enum Access {
    Read,
    Write,
}

/// One value of a statement.
#[derive(Clone)]
pub(super) enum Value {
    Text(String),
    Bytes(Vec<u8>),
    Id(Id),
    Number(i64),
    /// NULL in the place of a text.
    NoText,
    /// NULL in the place of an ID.
    NoId,
    /// NULL in the place of a number.
    NoNumber,
}

/// A statement and its values, in the order of `$1`, `$2`, … Not Debug: it holds secrets.
#[derive(Clone)]
pub(super) struct Statement {
    pub(super) sql: &'static str,
    pub(super) values: Vec<Value>,
}

impl Statement {
    /// `sql` with `values`.
    pub(super) fn new<const N: usize>(sql: &'static str, values: [Value; N]) -> Self {
        Self { sql, values: values.into() }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<&[u8]> for Value {
    fn from(bytes: &[u8]) -> Self {
        Self::Bytes(bytes.to_owned())
    }
}

impl From<&Id> for Value {
    fn from(id: &Id) -> Self {
        Self::Id(*id)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

impl From<Option<i64>> for Value {
    fn from(number: Option<i64>) -> Self {
        number.map_or(Self::NoNumber, Self::Number)
    }
}

/// What is to be done for a row, if anything.
pub(super) type ForRow = Arc<dyn Fn(&Row) -> Result<Option<Statement>, StoreError> + Send + Sync>;

/// Part of a transaction.
pub(super) enum Step {
    /// Is done.
    Do(Statement),
    /// Is done, and if it changes nothing, what follows is not.
    Gate(Statement),
    /// For each row that the statement answers, what the function says is done.
    Each(Statement, ForRow),
    /// Many statements without values.
    Script(&'static str),
}

/// What is asked of a connection.
pub(super) enum Work {
    /// The rows that a statement answers.
    Rows(Statement),
    /// How many rows a statement changes.
    Change(Statement),
    /// All of it or none.
    Steps(Vec<Step>),
}

/// What came of it.
pub(super) enum Outcome {
    Rows(Vec<Row>),
    Changed(u64),
}

/// The outcome, and how many statements it took, those that begin and end a transaction included.
pub(super) struct Done {
    pub(super) outcome: Outcome,
    pub(super) statements: u64,
}

impl Done {
    /// Of one statement.
    pub(super) fn one(outcome: Outcome) -> Self {
        Self { outcome, statements: 1 }
    }

    /// The same within a transaction.
    pub(super) fn in_transaction(self) -> Self {
        Self { statements: self.statements + 2, ..self }
    }
}

/// A row, read by the column's number in the statement.
pub(super) enum Row {
    Sqlite(Vec<Cell>),
    Postgres(PgRow),
}

impl Row {
    /// A text.
    pub(super) fn text(&self, column: usize) -> Result<String, StoreError> {
        match self {
            Self::Sqlite(cells) => match cells.get(column) {
                Some(Cell::Text(text)) => Some(text.clone()),
                _ => None,
            },
            Self::Postgres(row) => row.try_get(column).ok(),
        }
        .ok_or(StoreError::Unreadable("a text"))
    }

    /// Bytes.
    pub(super) fn bytes(&self, column: usize) -> Result<Vec<u8>, StoreError> {
        match self {
            Self::Sqlite(cells) => match cells.get(column) {
                Some(Cell::Blob(bytes)) => Some(bytes.clone()),
                _ => None,
            },
            Self::Postgres(row) => row.try_get(column).ok(),
        }
        .ok_or(StoreError::Unreadable("bytes"))
    }

    /// A number that may be missing.
    pub(super) fn maybe_number(&self, column: usize) -> Result<Option<i64>, StoreError> {
        match self {
            Self::Sqlite(cells) => match cells.get(column) {
                Some(Cell::Integer(number)) => Some(Some(*number)),
                Some(Cell::Null) => Some(None),
                _ => None,
            },
            Self::Postgres(row) => row.try_get(column).ok(),
        }
        .ok_or(StoreError::Unreadable("a number"))
    }

    /// A number.
    pub(super) fn number(&self, column: usize) -> Result<i64, StoreError> {
        self.maybe_number(column)?.ok_or(StoreError::Unreadable("a number"))
    }

    /// A count, which is never negative.
    pub(super) fn count(&self, column: usize) -> Result<u32, StoreError> {
        self.number(column)?.try_into().map_err(|_| StoreError::Unreadable("a count"))
    }

    /// An ID.
    pub(super) fn id(&self, column: usize) -> Result<Id, StoreError> {
        let bytes = self.bytes(column)?.try_into().map_err(|_| StoreError::Unreadable("an ID"))?;
        Ok(Id::from_bytes(bytes))
    }

    /// A time.
    pub(super) fn time(&self, column: usize) -> Result<jiff::Timestamp, StoreError> {
        time(self.number(column)?)
    }

    /// A time that may be missing.
    pub(super) fn maybe_time(&self, column: usize) -> Result<Option<jiff::Timestamp>, StoreError> {
        self.maybe_number(column)?.map(time).transpose()
    }
}

fn time(seconds: i64) -> Result<jiff::Timestamp, StoreError> {
    jiff::Timestamp::from_second(seconds).map_err(|_| StoreError::Unreadable("a time"))
}
