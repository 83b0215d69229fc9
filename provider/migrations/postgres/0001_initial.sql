-- Times are seconds since 1970, IDs 16 random bytes. An index stands only where a statement asks.

CREATE TABLE grants (
    tenant             TEXT NOT NULL,
    id                 BYTEA NOT NULL,
    client             TEXT NOT NULL,
    subject            TEXT NOT NULL,
    session            BYTEA NOT NULL,
    offline            BIGINT NOT NULL,
    payload            BYTEA NOT NULL CHECK (octet_length(payload) <= 4096),
    created_at         BIGINT NOT NULL,
    generation         BIGINT NOT NULL,
    -- Of the last rotation.
    rotated_at         BIGINT,
    -- Both or neither.
    refresh_expires_at BIGINT,
    idle_expires_at    BIGINT,
    ended_at           BIGINT,
    expires_at         BIGINT NOT NULL,
    PRIMARY KEY (tenant, id)
);
CREATE INDEX grants_of_session ON grants (tenant, session);
CREATE INDEX grants_by_expiry ON grants (expires_at);

CREATE TABLE sessions (
    tenant           TEXT NOT NULL,
    id               BYTEA NOT NULL,
    handle           BYTEA NOT NULL,
    subject          TEXT NOT NULL,
    authenticated_at BIGINT NOT NULL,
    -- A JSON array.
    amr              TEXT NOT NULL,
    acr              TEXT NOT NULL,
    created_at       BIGINT NOT NULL,
    last_seen_at     BIGINT NOT NULL,
    expires_at       BIGINT NOT NULL,
    -- Never after expires_at: this one says whether a session is live.
    idle_expires_at  BIGINT NOT NULL CHECK (idle_expires_at <= expires_at),
    PRIMARY KEY (tenant, id)
);
CREATE INDEX sessions_by_expiry ON sessions (idle_expires_at);

CREATE TABLE revoked_tokens (
    tenant     TEXT NOT NULL,
    jti        BYTEA NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (tenant, jti)
);
CREATE INDEX revoked_tokens_by_expiry ON revoked_tokens (expires_at);

-- One row a scope, so that two consents at once lose none.
CREATE TABLE consents (
    tenant   TEXT NOT NULL,
    subject  TEXT NOT NULL,
    client   TEXT NOT NULL,
    scope    TEXT NOT NULL,
    given_at BIGINT NOT NULL,
    PRIMARY KEY (tenant, subject, client, scope)
);

CREATE TABLE consumed_logins (
    tenant     TEXT NOT NULL,
    id         BYTEA NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (tenant, id)
);
CREATE INDEX consumed_logins_by_expiry ON consumed_logins (expires_at);

-- jti is hashed: clients choose its length.
CREATE TABLE consumed_assertions (
    tenant     TEXT NOT NULL,
    client     TEXT NOT NULL,
    jti        BYTEA NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (tenant, client, jti)
);
CREATE INDEX consumed_assertions_by_expiry ON consumed_assertions (expires_at);

CREATE TABLE kept (
    tenant     TEXT NOT NULL,
    id         BYTEA NOT NULL,
    bytes      BYTEA NOT NULL CHECK (octet_length(bytes) <= 65536),
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (tenant, id)
);
CREATE INDEX kept_by_expiry ON kept (expires_at);

CREATE TABLE login_failures (
    tenant     TEXT NOT NULL,
    id         BYTEA NOT NULL,
    failures   BIGINT NOT NULL,
    last_at    BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (tenant, id)
);
CREATE INDEX login_failures_by_expiry ON login_failures (expires_at);

CREATE TABLE logouts (
    tenant     TEXT NOT NULL,
    id         BYTEA NOT NULL,
    client     TEXT NOT NULL,
    subject    TEXT NOT NULL,
    session    BYTEA NOT NULL,
    due_at     BIGINT NOT NULL,
    attempts   BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (tenant, id)
);
CREATE INDEX logouts_by_due ON logouts (due_at);
CREATE INDEX logouts_by_expiry ON logouts (expires_at);
