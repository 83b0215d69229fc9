//! A store in a file, which a test can look into, and take away.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use claviger_provider::store::{Id, Store, StoreOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteRow};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Row as _, SqliteConnection};

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
    pub(crate) async fn take_away(&self) {
        for table in self.tables().await {
            self.run(format!("ALTER TABLE {table} RENAME TO away_{table}")).await;
        }
    }

    /// It answers again, and knows what it knew.
    pub(crate) async fn bring_back(&self) {
        for table in self.tables().await {
            self.run(format!("ALTER TABLE {table} RENAME TO {}", table.strip_prefix("away_").unwrap())).await;
        }
    }

    /// What is remembered of the tenants whose slug is `slug`.
    pub(crate) async fn rows(&self, slug: &str) -> Rows {
        let (mut rows, mut connection) = (Rows::new(), self.connection().await);
        let mut ask = async |sql: String| {
            let found: Vec<SqliteRow> = sqlx::query(AssertSqlSafe(sql)).fetch_all(&mut connection).await.unwrap();
            found
        };
        for table in self.tables().await {
            let columns = format!("SELECT name FROM pragma_table_info('{table}')");
            let columns: Vec<String> = ask(columns).await.iter().map(|row| row.get(0)).collect();
            let quoted: Vec<String> = columns.iter().map(|column| format!("quote({column})")).collect();
            let text = quoted.join(" || ' ' || ");
            let found = ask(format!("SELECT {text} FROM {table} WHERE tenant LIKE '%/{slug}' ORDER BY 1")).await;
            rows.insert(table, found.iter().map(|row| row.get(0)).collect());
        }
        rows
    }

    /// How many rows there are, by table.
    pub(crate) async fn counts(&self) -> BTreeMap<String, i64> {
        let mut counts = BTreeMap::new();
        for table in self.tables().await {
            let count = self.ask(format!("SELECT count(*) FROM {table}")).await[0].get(0);
            counts.insert(table, count);
        }
        counts
    }

    /// All of them have a tenant's rows, but for the one that tells the schema's version.
    async fn tables(&self) -> Vec<String> {
        let tables = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'claviger_schema'";
        self.ask(tables.to_owned()).await.iter().map(|row| row.get(0)).collect()
    }

    async fn ask(&self, sql: String) -> Vec<SqliteRow> {
        sqlx::query(AssertSqlSafe(sql)).fetch_all(&mut self.connection().await).await.unwrap()
    }

    async fn run(&self, sql: String) {
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut self.connection().await).await.unwrap();
    }

    async fn connection(&self) -> SqliteConnection {
        let options = SqliteConnectOptions::new().filename(self.folder.join("store.db"));
        options.busy_timeout(Duration::from_secs(30)).connect().await.unwrap()
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
