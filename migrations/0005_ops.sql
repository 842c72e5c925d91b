-- What operators did: a line before each change, and one after it. Lines are never changed or deleted, by nobody who
-- does not take the guard away first.

DO $$
BEGIN
    IF to_regrole('muster_operator') IS NULL THEN
        BEGIN
            CREATE ROLE muster_operator NOLOGIN;
        EXCEPTION
            WHEN duplicate_object OR unique_violation THEN
                NULL;  -- roles belong to the cluster, and another of its databases was faster
        END;
    END IF;
    IF NOT pg_has_role(current_user, 'muster_operator', 'SET') THEN
        EXECUTE format('GRANT %I TO CURRENT_USER', 'muster_operator');
    END IF;
END
$$;

CREATE SCHEMA ops;
GRANT USAGE ON SCHEMA ops TO muster_operator;

CREATE TABLE ops.audit (
    number    bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run       uuid        NOT NULL,             -- one run of a command; its lines share it
    at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    what      text        NOT NULL CHECK (what IN ('begun', 'done', 'failed', 'interrupted')),
    who       text        NOT NULL,             -- MUSTER_OPERATOR, or the user and machine that ran it
    login     text        NOT NULL DEFAULT session_user,
    release   text        NOT NULL,
    verb      text        NOT NULL,
    arguments jsonb       NOT NULL,             -- ids, places and numbers; nothing that anybody typed about a person
    result    jsonb                             -- of a line that ends a run
);
CREATE INDEX audit_of_run ON ops.audit (run);

CREATE FUNCTION ops.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit is only ever added to';
END
$$;
CREATE TRIGGER audit_is_for_ever BEFORE UPDATE OR DELETE OR TRUNCATE ON ops.audit
    FOR EACH STATEMENT EXECUTE FUNCTION ops.refuse_change();

GRANT SELECT, INSERT ON ops.audit TO muster_operator;
