//! With databases in memory: each is one connection's, so that another connection is an empty one.

use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteConnectOptions;

use super::*;

const KEEPING: Keeping =
    Keeping { connections: 1, patience: Duration::from_millis(200), fresh: None, idle: None, age: None, drain: None };

fn pool(keeping: Keeping) -> Arc<Pool<SqliteConnection>> {
    Pool::new(SqliteConnectOptions::new().in_memory(true), keeping)
}

async fn lease(pool: &Arc<Pool<SqliteConnection>>) -> Lease<SqliteConnection> {
    pool.lease().await.map_err(|problem| problem.describe()).unwrap()
}

/// Leaves something in the connection by which it is known again.
async fn mark(lease: &mut Lease<SqliteConnection>) {
    sqlx::query("CREATE TABLE mark (a)").execute(lease.connection().unwrap()).await.unwrap();
}

async fn is_marked(pool: &Arc<Pool<SqliteConnection>>) -> bool {
    let mut lease = lease(pool).await;
    let marked = sqlx::query("SELECT a FROM mark").fetch_all(lease.connection().unwrap()).await.is_ok();
    lease.settle();
    marked
}

#[tokio::test]
async fn one_that_was_given_back_is_used_again_and_one_that_broke_is_not() {
    let pool = pool(KEEPING);
    let mut first = lease(&pool).await;
    mark(&mut first).await;
    first.settle();
    assert!(is_marked(&pool).await);
    lease(&pool).await.discard();
    assert!(!is_marked(&pool).await);
}

#[tokio::test]
async fn there_are_no_more_than_so_many_and_who_comes_then_waits() {
    let pool = pool(KEEPING);
    let first = lease(&pool).await;
    assert!(matches!(pool.lease().await, Err(Problem::NoConnection)));
    let ((), second) = tokio::join!(async { first.settle() }, pool.lease());
    assert!(second.is_ok());
}

#[tokio::test]
async fn one_that_its_caller_left_is_kept_when_its_statement_has_ended() {
    let pool = pool(KEEPING);
    let mut left = lease(&pool).await;
    mark(&mut left).await;
    drop(left);
    assert!(is_marked(&pool).await);
}

#[tokio::test]
async fn one_that_nobody_uses_is_closed_and_one_in_use_is_not() {
    let pool = pool(Keeping { connections: 2, idle: Some(Duration::from_millis(100)), ..KEEPING });
    let (mut used, unused) = (lease(&pool).await, lease(&pool).await);
    mark(&mut used).await;
    unused.settle();
    assert_eq!(pool.rest().connections.len(), 1);
    sleep(Duration::from_millis(400)).await;
    assert_eq!(pool.rest().connections.len(), 0);
    used.settle();
    assert!(is_marked(&pool).await);
    // Whoever looked after them has gone meanwhile, and another has come.
    sleep(Duration::from_millis(400)).await;
    assert!(!is_marked(&pool).await);
}

#[tokio::test]
async fn one_that_is_old_is_not_kept() {
    let pool = pool(Keeping { age: Some(Duration::from_millis(50)), ..KEEPING });
    let mut old = lease(&pool).await;
    mark(&mut old).await;
    sleep(Duration::from_millis(100)).await;
    old.settle();
    assert!(!is_marked(&pool).await);
}
