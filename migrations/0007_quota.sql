-- What practices have left of Xero's limits, shared by all importer processes.

CREATE TABLE importer.quotas (
    xpm_tenant_id text        NOT NULL PRIMARY KEY,   -- Xero's id of the practice: Xero counts by it
    budget        jsonb       NOT NULL,               -- see services/importer/quota/budget.py
    changes       bigint      NOT NULL,               -- whoever changes it says what it was: nobody holds a lock
    changed_at    timestamptz NOT NULL DEFAULT clock_timestamp()
) WITH (fillfactor = 50);

GRANT SELECT, INSERT, UPDATE, DELETE ON importer.quotas TO muster_importer;
