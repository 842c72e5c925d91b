-- What a practice means by the words of XPM's relationships, where that is not as usual: every change is kept.
CREATE TABLE importer.wording (
    tenant_id  text        NOT NULL,
    ordinal    bigint      GENERATED ALWAYS AS IDENTITY,
    word       text        NOT NULL,                -- folded: letter case, blanks and spellings make no difference
    meaning    jsonb,                               -- null: as usual again
    changed_by text        NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (tenant_id, word, ordinal)
);

GRANT SELECT, INSERT ON importer.wording TO muster_importer;
