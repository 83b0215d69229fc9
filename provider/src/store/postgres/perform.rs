//! What is asked of PostgreSQL, done over a connection.

use sqlx::query::Query;
use sqlx::{Connection as _, PgConnection, Postgres, postgres::PgArguments};

use crate::store::work::{Done, Outcome, Row, Statement, Step, Value, Work};

/// A connection. Behind a pooler nothing is kept in a session: what was prepared there may be gone at
/// the next transaction.
struct Session<'c> {
    connection: &'c mut PgConnection,
    pooled: bool,
}

/// Does `work`, in a transaction where it has steps, which rolls back when it is dropped midway. `pooled`
/// is a connection of a pooler: that may send the two halves of a statement, its text and its values, to
/// two servers, but never those of a transaction.
pub(super) async fn perform(connection: &mut PgConnection, pooled: bool, work: &Work) -> Result<Done, sqlx::Error> {
    let mut session = Session { connection, pooled };
    match work {
        Work::Rows(statement) if !pooled => Ok(Done::one(Outcome::Rows(session.rows(statement).await?))),
        Work::Change(statement) if !pooled => Ok(Done::one(Outcome::Changed(session.change(statement).await?))),
        // Apart: its state is large, and every call would carry room for it.
        _ => Box::pin(in_transaction(connection, pooled, work)).await,
    }
}

async fn in_transaction(connection: &mut PgConnection, pooled: bool, work: &Work) -> Result<Done, sqlx::Error> {
    let mut transaction = connection.begin().await?;
    let mut session = Session { connection: &mut transaction, pooled };
    let done = match work {
        Work::Rows(statement) => Done::one(Outcome::Rows(session.rows(statement).await?)),
        Work::Change(statement) => Done::one(Outcome::Changed(session.change(statement).await?)),
        Work::Steps(steps) => session.steps(steps).await?,
    };
    transaction.commit().await?;
    Ok(done.in_transaction())
}

impl Session<'_> {
    async fn steps(&mut self, steps: &[Step]) -> Result<Done, sqlx::Error> {
        let (mut changed, mut statements) = (0, 0);
        for step in steps {
            statements += 1;
            match step {
                Step::Do(statement) => changed += self.change(statement).await?,
                Step::Each(statement, for_row) => {
                    for row in self.rows(statement).await? {
                        let made = for_row(&row).map_err(|error| sqlx::Error::Decode(Box::new(error)))?;
                        if let Some(made) = made {
                            changed += self.change(&made).await?;
                        }
                    }
                }
                Step::Script(sql) => sqlx::raw_sql(*sql).execute(&mut *self.connection).await.map(drop)?,
                Step::Gate(statement) => match self.change(statement).await? {
                    0 => break,
                    more => changed += more,
                },
            }
        }
        Ok(Done { outcome: Outcome::Changed(changed), statements })
    }

    async fn rows(&mut self, statement: &Statement) -> Result<Vec<Row>, sqlx::Error> {
        let rows = bound(statement, !self.pooled).fetch_all(&mut *self.connection).await?;
        Ok(rows.into_iter().map(Row::Postgres).collect())
    }

    async fn change(&mut self, statement: &Statement) -> Result<u64, sqlx::Error> {
        Ok(bound(statement, !self.pooled).execute(&mut *self.connection).await?.rows_affected())
    }
}

fn bound(statement: &Statement, persistent: bool) -> Query<'_, Postgres, PgArguments> {
    let query = sqlx::query::<Postgres>(statement.sql).persistent(persistent);
    statement.values.iter().fold(query, |query, value| match value {
        Value::Text(text) => query.bind(text.as_str()),
        Value::Bytes(bytes) => query.bind(bytes.as_slice()),
        Value::Id(id) => query.bind(id.as_bytes().as_slice()),
        Value::Number(number) => query.bind(*number),
        Value::NoText => query.bind(None::<&str>),
        Value::NoId => query.bind(None::<&[u8]>),
        Value::NoNumber => query.bind(None::<i64>),
    })
}
