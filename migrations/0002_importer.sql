-- The importer's requests, the sets of events that are not acknowledged yet, whose turn it is, and what was told of
-- connections.

CREATE TABLE importer.requests (
    tenant_id     text        NOT NULL,
    import_id     text        NOT NULL,
    arrival       bigint      GENERATED ALWAYS AS IDENTITY,
    client_id     text        NOT NULL,
    xpm_client_id text,
    requested_by  text        NOT NULL,
    bulk_id       text,
    requested_at  timestamptz NOT NULL,         -- the broker's timestamp
    content       bytea       NOT NULL,         -- digest of the request: another one under this id is refused
    status        text        NOT NULL DEFAULT 'behind' CHECK (status IN ('behind', 'queued', 'stored', 'ended')),
    ready_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    waits         integer     NOT NULL DEFAULT 0,
    trouble_since timestamptz,                  -- since when XPM has not answered as it should
    announcement  bytea,                        -- an ImportWaiting that is not acknowledged yet
    resume_at     timestamptz,                  -- when the announced wait is over
    last_event    bytea,                        -- published again when the request is repeated
    asked_again   integer     NOT NULL DEFAULT 0 CHECK (asked_again >= 0),  -- repeats that are not answered yet
    leased_by     uuid,                         -- whoever has it in hand
    leased_until  timestamptz,
    to_do         boolean     NOT NULL GENERATED ALWAYS AS (status IN ('queued', 'stored') OR asked_again > 0) STORED,
    PRIMARY KEY (tenant_id, import_id)
);
CREATE INDEX requests_to_do ON importer.requests (tenant_id, arrival) WHERE to_do;
CREATE INDEX requests_by_time ON importer.requests (ready_at) WHERE to_do;
CREATE INDEX requests_of_client ON importer.requests (tenant_id, client_id, arrival) WHERE status <> 'ended';
CREATE UNIQUE INDEX one_request_of_a_client ON importer.requests (tenant_id, client_id)
    WHERE status IN ('queued', 'stored');
CREATE INDEX requests_in_hand ON importer.requests (tenant_id, leased_until) WHERE leased_until IS NOT NULL;

CREATE TABLE importer.staged_events (
    tenant_id text    NOT NULL,
    import_id text    NOT NULL,
    ordinal   integer NOT NULL,
    event     bytea   NOT NULL,                 -- as it is published
    PRIMARY KEY (tenant_id, import_id, ordinal),
    FOREIGN KEY (tenant_id, import_id) REFERENCES importer.requests (tenant_id, import_id)
);

CREATE TABLE importer.turns (
    tenant_id    text        NOT NULL PRIMARY KEY,
    served_at    timestamptz,                   -- when a request of the tenant was last taken in hand
    paused_until timestamptz                    -- XPM has refused further calls for the practice until then
);
CREATE INDEX turns_paused ON importer.turns (paused_until) WHERE paused_until IS NOT NULL;

CREATE TABLE importer.connections (
    tenant_id     text        NOT NULL PRIMARY KEY,
    connection_id text        NOT NULL,
    practice_name text,
    changes       integer     NOT NULL DEFAULT 1,
    changed_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    told          boolean     NOT NULL DEFAULT false    -- the fact of it is in the journal
);

GRANT SELECT, INSERT, UPDATE, DELETE ON importer.requests, importer.staged_events, importer.turns, importer.connections
    TO muster_importer;
