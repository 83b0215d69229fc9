//! What is asked of SQLite, done on a connection.

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{CachedStatement, Connection, ToSql, ffi};

use crate::store::problem::Problem;
use crate::store::work::{Done, Outcome, Row, Statement, Step, Value, Work};

/// Does `work`, all of it or nothing, within the transaction that the caller has begun.
pub(super) fn perform(connection: &Connection, work: &Work) -> Result<Done, Problem> {
    let steps = match work {
        Work::Rows(statement) => return Ok(Done::one(Outcome::Rows(rows(connection, statement)?))),
        Work::Change(statement) => return Ok(Done::one(Outcome::Changed(change(connection, statement)?))),
        Work::Steps(steps) => steps,
    };
    run(connection, "SAVEPOINT work")?;
    match self::steps(connection, steps) {
        Ok(done) => {
            run(connection, "RELEASE work")?;
            Ok(done.in_transaction())
        }
        Err(problem) => {
            // A full disk and its like have ended the transaction, and every savepoint with it. They are
            // what is told, not that there is nothing left to roll back.
            if !connection.is_autocommit() {
                run(connection, "ROLLBACK TO work")?;
                run(connection, "RELEASE work")?;
            }
            Err(problem)
        }
    }
}

fn steps(connection: &Connection, steps: &[Step]) -> Result<Done, Problem> {
    let (mut changed, mut statements) = (0, 0);
    for step in steps {
        statements += 1;
        match step {
            Step::Do(statement) => changed += change(connection, statement)?,
            Step::Each(statement, for_row) => {
                for row in rows(connection, statement)? {
                    let made = for_row(&row).map_err(|_| Problem::Sqlite(ffi::SQLITE_MISMATCH))?;
                    if let Some(made) = made {
                        changed += change(connection, &made)?;
                    }
                }
            }
            Step::Script(sql) => connection.execute_batch(sql)?,
            Step::Gate(statement) => match change(connection, statement)? {
                0 => break,
                more => changed += more,
            },
        }
    }
    Ok(Done { outcome: Outcome::Changed(changed), statements })
}

fn run(connection: &Connection, sql: &str) -> Result<(), Problem> {
    connection.prepare_cached(sql)?.raw_execute()?;
    Ok(())
}

fn rows(connection: &Connection, statement: &Statement) -> Result<Vec<Row>, Problem> {
    let mut prepared = bound(connection, statement)?;
    let columns = prepared.column_count();
    let (mut answer, mut found) = (prepared.raw_query(), Vec::new());
    while let Some(row) = answer.next()? {
        let cells: Result<Vec<_>, _> = (0..columns).map(|column| row.get(column)).collect();
        found.push(Row::Sqlite(cells?));
    }
    Ok(found)
}

fn change(connection: &Connection, statement: &Statement) -> Result<u64, Problem> {
    Ok(bound(connection, statement)?.raw_execute()? as u64)
}

fn bound<'c>(connection: &'c Connection, statement: &Statement) -> Result<CachedStatement<'c>, Problem> {
    let mut prepared = connection.prepare_cached(statement.sql)?;
    for index in 1..=prepared.parameter_count() {
        // To SQLite `$2` is a name, and the first that stands in the text has the index 1.
        let number = prepared.parameter_name(index).and_then(|name| name.strip_prefix('$')?.parse::<usize>().ok());
        let value = number.and_then(|number| statement.values.get(number.checked_sub(1)?));
        prepared.raw_bind_parameter(index, value.ok_or(Problem::Sqlite(ffi::SQLITE_RANGE))?)?;
    }
    Ok(prepared)
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Bytes(bytes) => ValueRef::Blob(bytes),
            Self::Id(id) => ValueRef::Blob(id.as_bytes()),
            Self::Number(number) => ValueRef::Integer(*number),
            Self::NoText | Self::NoId | Self::NoNumber => ValueRef::Null,
        }))
    }
}
