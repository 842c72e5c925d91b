-- An attempt to connect belongs to the browser it was begun in.
ALTER TABLE importer.authorizations
    ADD COLUMN proof_digest  bytea NOT NULL DEFAULT '',  -- of what that browser's session keeps; nothing has the empty one
    ADD COLUMN ticket_digest bytea,                      -- of what the browser that came back from Xero bears
    ADD COLUMN code          bytea;                      -- encrypted
CREATE INDEX authorizations_by_ticket ON importer.authorizations (ticket_digest);
