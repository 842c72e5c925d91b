-- make --
-- Tables beside the live ones
CREATE SCHEMA notifier_beside;
CREATE UNLOGGED TABLE notifier_beside.progress (
    LIKE notifier.progress INCLUDING DEFAULTS INCLUDING CONSTRAINTS,
    PRIMARY KEY (tenant_id, kind, row_id, requested_at)
);
CREATE UNLOGGED TABLE notifier_beside.differences (
    tenant_id text COLLATE "C" NOT NULL,
    kind      text COLLATE "C" NOT NULL,
    row_id    text COLLATE "C" NOT NULL,
    how       text             NOT NULL CHECK (how IN ('only_here', 'only_there', 'different')),
    told      boolean          NOT NULL,        -- readers see the difference
    PRIMARY KEY (tenant_id, kind, row_id)
);

-- side --
-- One side as it is compared, `here` or `there`: what is `seen` by readers, and what is `kept` for the fold.
-- A version is when a change was told, not what; a bulk dates from whichever of its imports was read first.
CREATE VIEW notifier_beside.{side} AS
SELECT tenant_id, kind, row_id, requested_at,
    shown::jsonb - CASE kind
        WHEN 'bulk_import' THEN ARRAY['version', 'requested_at', 'visible_until', 'requested_by']
        ELSE ARRAY['version']
    END AS seen,
    jsonb_build_array(
        status, client_id, outcome_offset, outcome_swap, request_seen, bulk_from IS NULL, reviewable,
        CASE WHEN kind <> 'bulk_import' THEN requested_at END
    ) AS kept
FROM {schema}.progress WHERE requested_at > now() - interval '72 hours';

-- drop --
-- Whatever an earlier run, or this one, has made
DROP SCHEMA IF EXISTS notifier_beside CASCADE;

-- positions --
-- How far the live tables contain the topics
SELECT topic, partition, applied_to FROM notifier.positions WHERE "group" = 'notifier' ORDER BY topic DESC, partition;

-- lock --
-- All of the notifier's positions: no batch begins or ends meanwhile
LOCK TABLE notifier.positions IN EXCLUSIVE MODE;

-- forget --
-- What was noted of some tenants, or of all, is to be looked at again
DELETE FROM notifier_beside.differences WHERE $1::text[] IS NULL OR tenant_id = ANY ($1);

-- compare --
-- Note the rows of some tenants, or of all, that are on one side only or differ
INSERT INTO notifier_beside.differences (tenant_id, kind, row_id, how, told)
SELECT tenant_id, kind, row_id,
    CASE WHEN there.seen IS NULL THEN 'only_here' WHEN here.seen IS NULL THEN 'only_there' ELSE 'different' END,
    here.seen IS DISTINCT FROM there.seen
FROM (SELECT * FROM notifier_beside.here WHERE $1::text[] IS NULL OR tenant_id = ANY ($1)) AS here
FULL JOIN (SELECT * FROM notifier_beside.there WHERE $1::text[] IS NULL OR tenant_id = ANY ($1)) AS there
    USING (tenant_id, kind, row_id)
WHERE here.seen IS DISTINCT FROM there.seen OR here.kept IS DISTINCT FROM there.kept
ON CONFLICT DO NOTHING;

-- counts --
-- How many rows differ in which way, per tenant
SELECT tenant_id,
    count(*) FILTER (WHERE how = 'only_here') AS only_here,
    count(*) FILTER (WHERE how = 'only_there') AS only_there,
    count(*) FILTER (WHERE how = 'different') AS different
FROM notifier_beside.differences GROUP BY tenant_id ORDER BY tenant_id;

-- size --
-- How many rows were compared
SELECT count(*) FROM notifier_beside.there;

-- examples --
-- Some rows that differ, a few of each tenant and kind of difference, with both sides
SELECT chosen.tenant_id, chosen.kind, chosen.row_id, chosen.how,
    (SELECT to_jsonb(here) FROM notifier.progress AS here WHERE (here.tenant_id, here.kind, here.row_id)
        = (chosen.tenant_id, chosen.kind, chosen.row_id) ORDER BY requested_at DESC LIMIT 1) AS here,
    (SELECT to_jsonb(there) FROM notifier_beside.progress AS there WHERE (there.tenant_id, there.kind, there.row_id)
        = (chosen.tenant_id, chosen.kind, chosen.row_id) ORDER BY requested_at DESC LIMIT 1) AS there
FROM (
    SELECT *, row_number() OVER (PARTITION BY tenant_id, how ORDER BY kind, row_id) AS place
    FROM notifier_beside.differences WHERE tenant_id = ANY ($1)
) AS chosen
WHERE place <= $2
ORDER BY chosen.tenant_id, chosen.how, chosen.kind, chosen.row_id;

-- next --
-- The next rows to be mended, with what readers have of each
SELECT tenant_id, kind, row_id, told, (here.shown ->> 'version')::bigint AS version, here.shown, here.requested_at
FROM notifier_beside.differences
LEFT JOIN LATERAL (
    SELECT shown, requested_at FROM notifier.progress AS live
    WHERE (live.tenant_id, live.kind, live.row_id)
        = (differences.tenant_id, differences.kind, differences.row_id)
    ORDER BY requested_at DESC LIMIT 1
) AS here ON true
WHERE $1::text IS NULL OR (tenant_id, kind, row_id) > ($1, $2::text, $3::text)
ORDER BY tenant_id, kind, row_id LIMIT $4;

-- count_folds --
-- Rows of these tenants change: who has loaded some and not stored them yet is to load them again
UPDATE notifier.tenants SET folds = folds + 1 WHERE tenant_id = ANY ($1::text[]);

-- take_away --
-- Rows that are replaced, or that follow from nothing
DELETE FROM notifier.progress
USING unnest($1::text[], $2::text[], $3::text[]) AS mended (tenant_id, kind, row_id)
WHERE (progress.tenant_id, progress.kind, progress.row_id) = (mended.tenant_id, mended.kind, mended.row_id)
    AND progress.requested_at > now() - interval '72 hours';

-- join_bulks --
-- Let all imports of a bulk name the row that counts them
UPDATE notifier.progress SET bulk_from = bulk.requested_at
FROM unnest($1::text[], $2::text[], $3::timestamptz[]) AS bulk (tenant_id, bulk_id, requested_at)
WHERE progress.tenant_id = bulk.tenant_id AND progress.kind = 'import'
    AND progress.requested_at > now() - interval '72 hours' AND progress.bulk_from IS NOT NULL
    AND progress.shown ->> 'bulk_id' = bulk.bulk_id AND progress.bulk_from <> bulk.requested_at;

-- tell --
-- What readers are to be told once this is committed
INSERT INTO notifier.mended (tenant_id, event)
SELECT tenant_id, event FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS told (tenant_id, event, place)
ORDER BY place;

-- waiting --
-- How much is not told yet
SELECT count(*) FROM notifier.mended;

-- alone --
-- Let one process at a time publish; ends with the session
SELECT pg_try_advisory_lock(hashtextextended('muster mended progress', 0));

-- done --
-- Let another one publish
SELECT pg_advisory_unlock(hashtextextended('muster mended progress', 0));

-- some --
-- The next ones to be told
SELECT number, tenant_id, event FROM notifier.mended ORDER BY number LIMIT $1;

-- out --
-- These are out
DELETE FROM notifier.mended WHERE number = ANY ($1::bigint[]);
