-- What is kept of XPM's client records, so that an import need not read each party anew.

ALTER TABLE importer.requests ADD COLUMN taken_in_at timestamptz NOT NULL DEFAULT clock_timestamp();

CREATE TABLE importer.mirrors (
    tenant_id     text        NOT NULL PRIMARY KEY,
    xpm_tenant_id text        NOT NULL,             -- of another practice nothing is kept
    full_at       timestamptz,                      -- when the last reading of everything began
    fresh_at      timestamptz,                      -- when the last reading of what had changed began
    sees_archived boolean     NOT NULL DEFAULT false,   -- that reading brought archived or deleted records too
    checks        integer     NOT NULL DEFAULT 0,   -- parties that it did not bring and that were looked up all the same
    lookups       integer     NOT NULL DEFAULT 0,   -- parties that were read one by one since
    failures      integer     NOT NULL DEFAULT 0,   -- readings in a row that failed
    lists_from    timestamptz,                      -- lists failed: clients are read one by one until then
    read_by       uuid,                             -- whoever reads the practice now
    read_until    timestamptz
);

CREATE TABLE importer.mirror_parties (
    tenant_id     text        NOT NULL REFERENCES importer.mirrors (tenant_id) ON DELETE CASCADE,
    xpm_client_id text        NOT NULL,
    details       jsonb,                            -- what an item needs; null: XPM does not have it
    archived      boolean     NOT NULL DEFAULT false,
    deleted       boolean     NOT NULL DEFAULT false,
    as_of         timestamptz NOT NULL,             -- when XPM was asked
    PRIMARY KEY (tenant_id, xpm_client_id)
);

CREATE TABLE importer.mirror_clients (
    tenant_id     text        NOT NULL REFERENCES importer.mirrors (tenant_id) ON DELETE CASCADE,
    xpm_client_id text        NOT NULL,
    record        jsonb       NOT NULL,             -- whole, for the imports that waited when it was read
    read_at       timestamptz NOT NULL,             -- when the list that brought it began
    PRIMARY KEY (tenant_id, xpm_client_id)
);

GRANT SELECT, INSERT, UPDATE, DELETE ON importer.mirrors, importer.mirror_parties, importer.mirror_clients
    TO muster_importer;
