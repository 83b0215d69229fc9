//! What SQLite and PostgreSQL have in common: a statement with its values goes in, rows come out.
//!
//! Both read `$1`, so nearly every statement is one text for both. Here end the types of sqlx.

use futures::FutureExt as _;
use futures::future::BoxFuture;
use sqlx::database::HasStatementCache;
use sqlx::postgres::PgRow;
use sqlx::query::Query;
use sqlx::sqlite::SqliteRow;
use sqlx::{Connection as _, Encode, PgConnection, Row as _, SqliteConnection, Type};

use super::{Id, StoreError};

/// One value of a statement.
#[derive(Clone, Copy)]
pub(super) enum Value<'a> {
    Text(Option<&'a str>),
    Bytes(Option<&'a [u8]>),
    Number(Option<i64>),
}

/// A statement and its values, in the order of `$1`, `$2`, … Not Debug: it holds secrets.
#[derive(Clone)]
pub(super) struct Statement<'a> {
    pub(super) sql: &'static str,
    pub(super) values: Vec<Value<'a>>,
}

impl<'a> Statement<'a> {
    /// `sql` with `values`.
    pub(super) fn new<const N: usize>(sql: &'static str, values: [Value<'a>; N]) -> Self {
        Self { sql, values: values.into() }
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(Some(text))
    }
}

impl<'a> From<&'a [u8]> for Value<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self::Bytes(Some(bytes))
    }
}

impl<'a> From<&'a Id> for Value<'a> {
    fn from(id: &'a Id) -> Self {
        Self::Bytes(Some(id.as_bytes()))
    }
}

impl From<i64> for Value<'_> {
    fn from(number: i64) -> Self {
        Self::Number(Some(number))
    }
}

impl From<Option<i64>> for Value<'_> {
    fn from(number: Option<i64>) -> Self {
        Self::Number(number)
    }
}

/// A statement with values of its own: made midway in a transaction, of what that has read.
pub(super) struct OwnStatement {
    pub(super) sql: &'static str,
    pub(super) values: Vec<OwnValue>,
}

/// One value of it.
pub(super) enum OwnValue {
    Text(String),
    Bytes(Vec<u8>),
    Number(i64),
}

impl OwnStatement {
    fn borrowed(&self) -> Statement<'_> {
        let values = self.values.iter().map(|value| match value {
            OwnValue::Text(text) => text.as_str().into(),
            OwnValue::Bytes(bytes) => bytes.as_slice().into(),
            OwnValue::Number(number) => (*number).into(),
        });
        Statement { sql: self.sql, values: values.collect() }
    }
}

/// What is to be done for a row, if anything.
pub(super) type ForRow<'a> = Box<dyn Fn(&Row) -> Result<Option<OwnStatement>, StoreError> + Send + Sync + 'a>;

/// Part of a transaction.
pub(super) enum Step<'a> {
    /// Is done.
    Do(Statement<'a>),
    /// Is done, and if it changes nothing, what follows is not.
    Gate(Statement<'a>),
    /// For each row that the statement answers, what the function says is done.
    Each(Statement<'a>, ForRow<'a>),
    /// Many statements without values.
    Script(&'static str),
}

/// What is asked of a connection.
pub(super) enum Work<'a> {
    /// The rows that a statement answers.
    Rows(Statement<'a>),
    /// How many rows a statement changes.
    Change(Statement<'a>),
    /// One transaction.
    Steps(Vec<Step<'a>>),
}

/// What came of it.
pub(super) enum Outcome {
    Rows(Vec<Row>),
    Changed(u64),
}

/// The outcome, and how many statements it took, BEGIN and COMMIT included.
pub(super) struct Done {
    pub(super) outcome: Outcome,
    pub(super) statements: u64,
}

impl Done {
    /// Of one statement.
    fn one(outcome: Outcome) -> Self {
        Self { outcome, statements: 1 }
    }

    /// The same within a transaction.
    fn in_transaction(self) -> Self {
        Self { statements: self.statements + 2, ..self }
    }
}

/// A connection of either kind.
pub(super) trait Connection: Send {
    /// The rows that a statement answers.
    fn rows<'a>(&'a mut self, statement: &'a Statement<'_>) -> BoxFuture<'a, Result<Vec<Row>, sqlx::Error>>;

    /// How many rows a statement changed.
    fn change<'a>(&'a mut self, statement: &'a Statement<'_>) -> BoxFuture<'a, Result<u64, sqlx::Error>>;

    /// Many statements without values.
    fn script(&mut self, sql: &'static str) -> BoxFuture<'_, Result<(), sqlx::Error>>;
}

/// Does `work`, in a transaction where it has steps. One that is dropped midway rolls back.
pub(super) async fn on_sqlite(connection: &mut SqliteConnection, work: &Work<'_>) -> Result<Done, sqlx::Error> {
    if !matches!(work, Work::Steps(_)) {
        return perform(connection, work).await;
    }
    // One that begins by reading and then writes would fail where it had to wait.
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    let done = perform(&mut *transaction, work).await?;
    transaction.commit().await?;
    Ok(done.in_transaction())
}

/// The same on PostgreSQL, where `pooled` is a connection of a pooler: that may send the two halves
/// of a statement, its text and its values, to two servers, but never those of a transaction.
pub(super) async fn on_postgres(
    connection: &mut PgConnection,
    pooled: bool,
    work: &Work<'_>,
) -> Result<Done, sqlx::Error> {
    if !pooled && !matches!(work, Work::Steps(_)) {
        return perform(&mut Postgres { connection, pooled }, work).await;
    }
    let mut transaction = connection.begin().await?;
    let done = perform(&mut Postgres { connection: &mut transaction, pooled }, work).await?;
    transaction.commit().await?;
    Ok(done.in_transaction())
}

async fn perform(connection: &mut dyn Connection, work: &Work<'_>) -> Result<Done, sqlx::Error> {
    let steps = match work {
        Work::Rows(statement) => return Ok(Done::one(Outcome::Rows(connection.rows(statement).await?))),
        Work::Change(statement) => return Ok(Done::one(Outcome::Changed(connection.change(statement).await?))),
        Work::Steps(steps) => steps,
    };
    let (mut changed, mut statements) = (0, 0);
    for step in steps {
        statements += 1;
        match step {
            Step::Do(statement) => changed += connection.change(statement).await?,
            Step::Each(statement, for_row) => {
                for row in connection.rows(statement).await? {
                    let made = for_row(&row).map_err(|error| sqlx::Error::Decode(Box::new(error)))?;
                    if let Some(made) = made {
                        changed += connection.change(&made.borrowed()).await?;
                    }
                }
            }
            Step::Script(sql) => connection.script(sql).await?,
            Step::Gate(statement) => match connection.change(statement).await? {
                0 => break,
                more => changed += more,
            },
        }
    }
    Ok(Done { outcome: Outcome::Changed(changed), statements })
}

/// `statement` with its values, for the database `DB`.
fn bound<'q, DB>(statement: &'q Statement<'_>, persistent: bool) -> Query<'q, DB, DB::Arguments>
where
    DB: sqlx::Database + HasStatementCache,
    Option<&'q str>: Encode<'q, DB> + Type<DB>,
    Option<&'q [u8]>: Encode<'q, DB> + Type<DB>,
    Option<i64>: Encode<'q, DB> + Type<DB>,
{
    let query = sqlx::query::<DB>(statement.sql).persistent(persistent);
    statement.values.iter().fold(query, |query, value| match *value {
        Value::Text(text) => query.bind(text),
        Value::Bytes(bytes) => query.bind(bytes),
        Value::Number(number) => query.bind(number),
    })
}

impl Connection for SqliteConnection {
    fn rows<'a>(&'a mut self, statement: &'a Statement<'_>) -> BoxFuture<'a, Result<Vec<Row>, sqlx::Error>> {
        async move {
            let rows = bound::<sqlx::Sqlite>(statement, true).fetch_all(self).await?;
            Ok(rows.into_iter().map(Row::Sqlite).collect())
        }
        .boxed()
    }

    fn change<'a>(&'a mut self, statement: &'a Statement<'_>) -> BoxFuture<'a, Result<u64, sqlx::Error>> {
        async move { Ok(bound::<sqlx::Sqlite>(statement, true).execute(self).await?.rows_affected()) }.boxed()
    }

    fn script(&mut self, sql: &'static str) -> BoxFuture<'_, Result<(), sqlx::Error>> {
        async move { sqlx::raw_sql(sql).execute(self).await.map(drop) }.boxed()
    }
}

/// A connection to PostgreSQL. Behind a pooler nothing is kept in a session: what was prepared there
/// may be gone at the next transaction.
struct Postgres<'c> {
    connection: &'c mut PgConnection,
    pooled: bool,
}

impl Connection for Postgres<'_> {
    fn rows<'a>(&'a mut self, statement: &'a Statement<'_>) -> BoxFuture<'a, Result<Vec<Row>, sqlx::Error>> {
        async move {
            let query = bound::<sqlx::Postgres>(statement, !self.pooled);
            let rows = query.fetch_all(&mut *self.connection).await?;
            Ok(rows.into_iter().map(Row::Postgres).collect())
        }
        .boxed()
    }

    fn change<'a>(&'a mut self, statement: &'a Statement<'_>) -> BoxFuture<'a, Result<u64, sqlx::Error>> {
        async move {
            let query = bound::<sqlx::Postgres>(statement, !self.pooled);
            Ok(query.execute(&mut *self.connection).await?.rows_affected())
        }
        .boxed()
    }

    fn script(&mut self, sql: &'static str) -> BoxFuture<'_, Result<(), sqlx::Error>> {
        async move { sqlx::raw_sql(sql).execute(&mut *self.connection).await.map(drop) }.boxed()
    }
}

/// A row, read by the column's number in the statement.
pub(super) enum Row {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

impl Row {
    /// A text.
    pub(super) fn text(&self, column: usize) -> Result<String, StoreError> {
        match self {
            Self::Sqlite(row) => row.try_get(column),
            Self::Postgres(row) => row.try_get(column),
        }
        .map_err(|_| StoreError::Unreadable("a text"))
    }

    /// Bytes.
    pub(super) fn bytes(&self, column: usize) -> Result<Vec<u8>, StoreError> {
        match self {
            Self::Sqlite(row) => row.try_get(column),
            Self::Postgres(row) => row.try_get(column),
        }
        .map_err(|_| StoreError::Unreadable("bytes"))
    }

    /// A number that may be missing.
    pub(super) fn maybe_number(&self, column: usize) -> Result<Option<i64>, StoreError> {
        match self {
            Self::Sqlite(row) => row.try_get(column),
            Self::Postgres(row) => row.try_get(column),
        }
        .map_err(|_| StoreError::Unreadable("a number"))
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
