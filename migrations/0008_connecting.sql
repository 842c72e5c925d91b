-- Connections to XPM that practices make themselves, with their tokens; those that the environment gives stay apart.

ALTER TABLE importer.connections RENAME TO given_connections;
ALTER INDEX importer.connections_pkey RENAME TO given_connections_pkey;
DELETE FROM importer.given_connections WHERE NOT told;    -- noted again, and told, at the next start
ALTER TABLE importer.given_connections DROP COLUMN told;

CREATE TABLE importer.connections (
    tenant_id     text        NOT NULL PRIMARY KEY,
    state         text        NOT NULL CHECK (state IN ('connected', 'reconnect_required', 'disconnected')),
    connection_id text        NOT NULL,             -- Xero's id of the connection
    xpm_tenant_id text        NOT NULL,             -- Xero's id of the practice
    practice_name text        NOT NULL,
    tokens        bytea,                            -- the token set, encrypted; see services/importer/connecting/keyring.py
    refresh_at    timestamptz,                      -- when the access token is to be renewed
    changed_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    CHECK ((state = 'connected') = (tokens IS NOT NULL)),
    CHECK ((tokens IS NULL) = (refresh_at IS NULL))
);
CREATE INDEX connections_by_practice ON importer.connections (xpm_tenant_id) WHERE state = 'connected';

CREATE TABLE importer.connection_facts (
    tenant_id text   NOT NULL,
    ordinal   bigint GENERATED ALWAYS AS IDENTITY,
    event     bytea  NOT NULL,                      -- a ConnectionChanged that is not acknowledged yet
    PRIMARY KEY (tenant_id, ordinal)
);

CREATE TABLE importer.authorizations (
    tenant_id    text        NOT NULL,
    state_digest bytea       NOT NULL,              -- of the state that the browser carries to Xero and back
    verifier     bytea       NOT NULL,              -- encrypted
    return_url   text        NOT NULL,
    requested_by text        NOT NULL,
    expires_at   timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, state_digest)
);
CREATE INDEX authorizations_by_state ON importer.authorizations (state_digest);

CREATE TABLE importer.choices (
    tenant_id  text        NOT NULL PRIMARY KEY,
    tokens     bytea       NOT NULL,                -- encrypted
    refresh_at timestamptz NOT NULL,
    practices  jsonb       NOT NULL,                -- that the consent reaches, one of which is to be chosen
    made_at    timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE importer.revocations (
    tenant_id     text        NOT NULL,
    ordinal       bigint      GENERATED ALWAYS AS IDENTITY,
    connection_id text,                             -- to be taken away at Xero; none for a consent that connected nothing
    tokens        bytea       NOT NULL,             -- encrypted; to be revoked
    attempts      integer     NOT NULL DEFAULT 0,
    due_at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    asked_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (tenant_id, ordinal)
);
CREATE INDEX revocations_due ON importer.revocations (due_at);

GRANT SELECT, INSERT, UPDATE, DELETE ON importer.connections, importer.connection_facts, importer.authorizations,
    importer.choices, importer.revocations TO muster_importer;
