//! A store in a file, which a test can look into, and take away.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use claviger_provider::store::{Id, Store, StoreOptions};
use rusqlite::Connection;
use rusqlite::types::FromSql;

use crate::fixture::open;

/// The file is gone when this is.
pub(crate) struct Database {
    folder: PathBuf,
    pub(crate) store: Arc<dyn Store>,
}

/// Rows as text, by table.
pub(crate) type Rows = BTreeMap<String, Vec<String>>;

impl Database {
    pub(crate) fn new() -> Self {
        let folder = std::env::temp_dir().join(format!("claviger-endpoints-{}", Id::random()));
        std::fs::create_dir(&folder).unwrap();
        let url = format!("sqlite://{}", folder.join("store.db").display());
        let mut options = StoreOptions::parse(&url).unwrap();
        // A hundred at once wait in line, on a busy machine longer than a request would.
        options.acquire_timeout = Duration::from_secs(60);
        Self { folder, store: open(options) }
    }

    /// From now on the store answers nothing.
    pub(crate) fn take_away(&self) {
        for table in self.tables() {
            self.run(&format!("ALTER TABLE {table} RENAME TO away_{table}"));
        }
    }

    /// It answers again, and knows what it knew.
    pub(crate) fn bring_back(&self) {
        for table in self.tables() {
            self.run(&format!("ALTER TABLE {table} RENAME TO {}", table.strip_prefix("away_").unwrap()));
        }
    }

    /// What is remembered of the tenants whose slug is `slug`.
    pub(crate) fn rows(&self, slug: &str) -> Rows {
        let (mut rows, connection) = (Rows::new(), self.connection());
        for table in self.tables() {
            let columns = format!("SELECT name FROM pragma_table_info('{table}')");
            let columns: Vec<String> = ask(&connection, &columns);
            let quoted: Vec<String> = columns.iter().map(|column| format!("quote({column})")).collect();
            let text = quoted.join(" || ' ' || ");
            let found = format!("SELECT {text} FROM {table} WHERE tenant LIKE '%/{slug}' ORDER BY 1");
            rows.insert(table, ask(&connection, &found));
        }
        rows
    }

    /// How many rows there are, by table.
    pub(crate) fn counts(&self) -> BTreeMap<String, i64> {
        let mut counts = BTreeMap::new();
        for table in self.tables() {
            let count = ask(&self.connection(), &format!("SELECT count(*) FROM {table}"))[0];
            counts.insert(table, count);
        }
        counts
    }

    /// All of them have a tenant's rows, but for the one that tells the schema's version.
    fn tables(&self) -> Vec<String> {
        let tables = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'claviger_schema'";
        ask(&self.connection(), tables)
    }

    /// Changes what it remembers.
    pub(crate) fn run(&self, sql: &str) {
        self.connection().execute_batch(sql).unwrap();
    }

    fn connection(&self) -> Connection {
        let connection = Connection::open(self.folder.join("store.db")).unwrap();
        connection.busy_timeout(Duration::from_secs(30)).unwrap();
        connection
    }
}

/// The first column of each row.
fn ask<T: FromSql>(connection: &Connection, sql: &str) -> Vec<T> {
    let mut statement = connection.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| row.get(0)).unwrap();
    rows.map(Result::unwrap).collect()
}

impl Drop for Database {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
