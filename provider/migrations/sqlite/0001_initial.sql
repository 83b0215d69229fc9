-- Times are seconds since 1970, IDs 16 random bytes. An index stands only where a statement asks.
-- Rows that may be large have a rowid: they would make a tree of keys deep.

CREATE TABLE grants (
    tenant             TEXT NOT NULL,
    id                 BLOB NOT NULL,
    client             TEXT NOT NULL,
    subject            TEXT NOT NULL,
    session            BLOB NOT NULL,
    offline            INTEGER NOT NULL,
    payload            BLOB NOT NULL CHECK (length(payload) <= 4096),
    created_at         INTEGER NOT NULL,
    generation         INTEGER NOT NULL,
    -- Of the last rotation.
    rotated_at         INTEGER,
    -- Both or neither.
    refresh_expires_at INTEGER,
    idle_expires_at    INTEGER,
    ended_at           INTEGER,
    expires_at         INTEGER NOT NULL,
    PRIMARY KEY (tenant, id)
) STRICT;
CREATE INDEX grants_of_session ON grants (tenant, session);
CREATE INDEX grants_by_expiry ON grants (expires_at);

CREATE TABLE sessions (
    tenant           TEXT NOT NULL,
    id               BLOB NOT NULL,
    handle           BLOB NOT NULL,
    subject          TEXT NOT NULL,
    authenticated_at INTEGER NOT NULL,
    -- A JSON array.
    amr              TEXT NOT NULL,
    acr              TEXT NOT NULL,
    created_at       INTEGER NOT NULL,
    last_seen_at     INTEGER NOT NULL,
    expires_at       INTEGER NOT NULL,
    -- Never after expires_at: this one says whether a session is live.
    idle_expires_at  INTEGER NOT NULL CHECK (idle_expires_at <= expires_at),
    PRIMARY KEY (tenant, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_by_expiry ON sessions (idle_expires_at);

CREATE TABLE revoked_tokens (
    tenant     TEXT NOT NULL,
    jti        BLOB NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, jti)
) STRICT, WITHOUT ROWID;
CREATE INDEX revoked_tokens_by_expiry ON revoked_tokens (expires_at);

-- One row a scope, so that two consents at once lose none.
CREATE TABLE consents (
    tenant   TEXT NOT NULL,
    subject  TEXT NOT NULL,
    client   TEXT NOT NULL,
    scope    TEXT NOT NULL,
    given_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, subject, client, scope)
) STRICT, WITHOUT ROWID;

CREATE TABLE consumed_logins (
    tenant     TEXT NOT NULL,
    id         BLOB NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX consumed_logins_by_expiry ON consumed_logins (expires_at);

-- jti is hashed: clients choose its length.
CREATE TABLE consumed_assertions (
    tenant     TEXT NOT NULL,
    client     TEXT NOT NULL,
    jti        BLOB NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, client, jti)
) STRICT, WITHOUT ROWID;
CREATE INDEX consumed_assertions_by_expiry ON consumed_assertions (expires_at);

CREATE TABLE kept (
    tenant     TEXT NOT NULL,
    id         BLOB NOT NULL,
    bytes      BLOB NOT NULL CHECK (length(bytes) <= 65536),
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, id)
) STRICT;
CREATE INDEX kept_by_expiry ON kept (expires_at);

CREATE TABLE login_failures (
    tenant     TEXT NOT NULL,
    id         BLOB NOT NULL,
    failures   INTEGER NOT NULL,
    last_at    INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX login_failures_by_expiry ON login_failures (expires_at);

CREATE TABLE logouts (
    tenant     TEXT NOT NULL,
    id         BLOB NOT NULL,
    client     TEXT NOT NULL,
    subject    TEXT NOT NULL,
    session    BLOB NOT NULL,
    due_at     INTEGER NOT NULL,
    attempts   INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX logouts_by_due ON logouts (due_at);
CREATE INDEX logouts_by_expiry ON logouts (expires_at);
