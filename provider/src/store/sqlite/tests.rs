use std::sync::Arc;

use rusqlite::Connection;
use tokio::sync::oneshot::Receiver;

use super::line::{Job, LONGEST, Line, Turn};
use super::thread::{Opener, Role, serve, write};
use super::*;
use crate::store::work::{Outcome, Row, Statement, Step};

const TABLE: &str = "CREATE TABLE t (a INTEGER PRIMARY KEY)";
const INSERT: &str = "INSERT INTO t (a) VALUES ($1)";

fn insert(number: i64) -> Work {
    Work::Change(Statement::new(INSERT, [number.into()]))
}

fn jobs(line: &Line) -> Vec<Job> {
    match line.next(None) {
        Turn::Jobs(jobs) => jobs,
        Turn::Idle | Turn::Over => panic!("nobody waits"),
    }
}

/// Joins with each of `works`, does them in one turn, and says which succeeded.
fn together<const N: usize>(connection: &mut Connection, works: [Work; N]) -> [bool; N] {
    let line = Line::default();
    let mut answers: Vec<Receiver<_>> = works.into_iter().map(|work| line.join(work)).collect();
    let jobs = jobs(&line);
    assert_eq!(jobs.len(), N);
    write(connection, jobs);
    std::array::from_fn(|number| answers[number].try_recv().unwrap().is_ok())
}

fn numbers(connection: &Connection) -> Vec<i64> {
    let mut statement = connection.prepare("SELECT a FROM t ORDER BY a").unwrap();
    let rows = statement.query_map([], |row| row.get(0)).unwrap();
    rows.map(Result::unwrap).collect()
}

fn table() -> Connection {
    let connection = Connection::open_in_memory().unwrap();
    connection.execute_batch(TABLE).unwrap();
    connection
}

#[test]
fn what_fails_in_a_turn_fails_alone_and_leaves_nothing() {
    let mut connection = table();
    let taken = Work::Steps([2, 1].map(|number| Step::Do(Statement::new(INSERT, [i64::into(number)]))).into());
    assert_eq!(together(&mut connection, [insert(1), taken, insert(1), insert(3)]), [true, false, false, true]);
    assert_eq!(numbers(&connection), [1, 3]);
}

#[test]
fn a_commit_that_fails_fails_for_all_who_shared_it() {
    let mut connection = table();
    let child = "PRAGMA foreign_keys = ON; CREATE TABLE c (a REFERENCES t (a) DEFERRABLE INITIALLY DEFERRED)";
    connection.execute_batch(child).unwrap();
    let orphan = Work::Change(Statement::new("INSERT INTO c (a) VALUES ($1)", [9.into()]));
    assert_eq!(together(&mut connection, [insert(1), orphan, insert(3)]), [false; 3]);
    assert!(numbers(&connection).is_empty());
    assert_eq!(together(&mut connection, [insert(4)]), [true]);
}

#[test]
fn a_transaction_that_is_rolled_back_midway_fails_for_all_and_what_follows_is_not_done() {
    let mut connection = table();
    let rolls_back = || Work::Change(Statement::new("INSERT OR ROLLBACK INTO t (a) VALUES ($1)", [1.into()]));
    assert_eq!(together(&mut connection, [insert(1), rolls_back(), insert(3)]), [false; 3]);
    assert!(numbers(&connection).is_empty());
}

#[test]
fn a_full_disk_is_what_is_told_of_steps_that_it_ends() {
    let mut connection = table();
    // There are more already, and none is added.
    connection.execute_batch("PRAGMA max_page_count = 1").unwrap();
    let many = (2..2_000).map(|number| Step::Do(Statement::new(INSERT, [i64::into(number)]))).collect();
    let line = Line::default();
    let mut answers = [insert(1), Work::Steps(many), insert(2_000)].map(|work| line.join(work));
    write(&mut connection, jobs(&line));
    for answer in &mut answers {
        let problem = answer.try_recv().unwrap().err().unwrap();
        assert_eq!(problem.describe(), "error 13: database or disk is full");
    }
    assert!(numbers(&connection).is_empty());
}

#[test]
fn parameters_are_told_by_their_numbers() {
    let mut connection = table();
    let swapped = Statement::new("INSERT INTO t (a) SELECT $2 WHERE $1 = 7", [7.into(), 8.into()]);
    assert_eq!(together(&mut connection, [Work::Change(swapped)]), [true]);
    assert_eq!(numbers(&connection), [8]);
    let short = Statement::new("INSERT INTO t (a) SELECT $2 WHERE $1 = 7", [7.into()]);
    assert_eq!(together(&mut connection, [Work::Change(short)]), [false]);
}

#[test]
fn a_turn_is_bounded_and_one_that_nobody_waits_for_is_not_done() {
    let line = Line::default();
    let opener = Opener { path: None, patience: Duration::ZERO };
    let mut table = line.join(Work::Steps(vec![Step::Script(TABLE)]));
    drop(line.join(insert(1)));
    let _others: Vec<_> = (0..98).map(|_| line.join(insert(2))).collect();
    let mut all = line.join(Work::Rows(Statement::new("SELECT a FROM t", [])));
    line.close();
    serve(&line, &opener, Role::Writer);
    assert!(table.try_recv().unwrap().is_ok());
    let Outcome::Rows(rows) = all.try_recv().unwrap().ok().unwrap().outcome else { panic!("rows were asked for") };
    let numbers: Vec<i64> = rows.iter().map(|row: &Row| row.number(0).unwrap()).collect();
    assert_eq!(numbers, [2]);
    let line = Line::default();
    let _waiting: Vec<_> = (0..100).map(|_| line.join(insert(2))).collect();
    assert_eq!((jobs(&line).len(), jobs(&line).len()), (64, 36));
}

#[tokio::test]
async fn a_fault_in_what_one_asks_costs_its_turn_and_not_the_thread() {
    let options = StoreOptions::parse("sqlite::memory:").unwrap();
    let (sqlite, patience) = (Sqlite::memory(&options).unwrap(), Duration::from_secs(9));
    let fault = Arc::new(|_: &Row| panic!("a fault"));
    let faulty = vec![
        Step::Script(TABLE),
        Step::Do(Statement::new(INSERT, [1.into()])),
        Step::Each(Statement::new("SELECT a FROM t", []), fault),
    ];
    assert!(matches!(sqlite.write(Work::Steps(faulty), patience).await, Err(Problem::NoConnection)));
    assert!(sqlite.write(Work::Steps(vec![Step::Script(TABLE)]), patience).await.is_ok(), "it was rolled back");
    assert!(sqlite.read(Work::Rows(Statement::new("SELECT a FROM t", [])), patience).await.is_ok());
}

#[tokio::test]
async fn who_waits_too_long_hears_that_it_is_slow() {
    let options = StoreOptions { acquire_timeout: Duration::ZERO, ..StoreOptions::parse("sqlite::memory:").unwrap() };
    let sqlite = Sqlite::memory(&options).unwrap();
    let long =
        "WITH RECURSIVE n (a) AS (SELECT 1 UNION ALL SELECT a + 1 FROM n WHERE a < 1000000) SELECT max(a) FROM n";
    let long = Work::Rows(Statement::new(long, []));
    assert!(matches!(sqlite.read(long, Duration::from_millis(1)).await, Err(Problem::Slow)));
}

#[test]
fn a_line_that_is_too_long_refuses_and_forgets_those_who_have_gone() {
    let line = Line::default();
    let mut waiting: Vec<Receiver<_>> = (0..LONGEST).map(|number| line.join(insert(number as i64))).collect();
    assert!(waiting.iter_mut().all(|answer| answer.try_recv().is_err()), "all of them wait");
    let mut refused = line.join(insert(-1));
    assert!(refused.try_recv().is_ok_and(|answer| answer.is_err()));
    drop(waiting.pop());
    let mut joined = line.join(insert(-1));
    assert!(joined.try_recv().is_err(), "it takes the place of who has gone");
}
