-- A role and a schema for each service; the positions of the services that have one set of tables.
-- The positions of the resolver are in each of its generations.

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['muster_importer', 'muster_resolver', 'muster_notifier', 'muster_reader'] LOOP
        IF to_regrole(name) IS NULL THEN
            BEGIN
                EXECUTE format('CREATE ROLE %I NOLOGIN', name);
            EXCEPTION
                WHEN duplicate_object OR unique_violation THEN
                    NULL;  -- roles belong to the cluster, and another of its databases was faster
            END;
        END IF;
        IF NOT pg_has_role(current_user, name, 'SET') THEN
            EXECUTE format('GRANT %I TO CURRENT_USER', name);
        END IF;
    END LOOP;
END
$$;

CREATE SCHEMA importer;
CREATE SCHEMA resolver;
CREATE SCHEMA notifier;

GRANT USAGE ON SCHEMA importer TO muster_importer;
GRANT USAGE ON SCHEMA resolver TO muster_resolver, muster_reader;
GRANT USAGE ON SCHEMA notifier TO muster_notifier, muster_reader;

CREATE TABLE importer.positions (
    "group"      text        NOT NULL,
    topic        text        NOT NULL,      -- without the prefix it may have in Kafka
    partition    integer     NOT NULL,
    cluster_id   text        NOT NULL,
    epoch        integer     NOT NULL,
    applied_to   bigint      NOT NULL,      -- Postgres contains the log up to here
    published_to bigint      NOT NULL,      -- what follows from it is out up to here
    updated_at   timestamptz NOT NULL,
    PRIMARY KEY ("group", topic, partition),
    CHECK (0 <= published_to AND published_to <= applied_to)
) WITH (fillfactor = 50);

CREATE TABLE notifier.positions (LIKE importer.positions INCLUDING ALL) WITH (fillfactor = 50);

GRANT SELECT, INSERT, UPDATE ON importer.positions TO muster_importer;
GRANT SELECT, INSERT, UPDATE ON notifier.positions TO muster_notifier;
