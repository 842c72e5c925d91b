-- clear --
-- Of another practice than the tenant's nothing is kept
DELETE FROM mirrors WHERE tenant_id = $1 AND xpm_tenant_id <> $2;

-- open --
-- Begin a mirror
INSERT INTO mirrors (tenant_id, xpm_tenant_id) VALUES ($1, $2) ON CONFLICT (tenant_id) DO NOTHING;

-- state --
-- What is known of mirrors, each for an import, how many imports wait for that practice, counted up to a limit, and the
-- whole record of the import's client, from a list that began after the import was asked for
WITH asked AS (
    SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) WITH ORDINALITY
        AS asked (tenant_id, xpm_tenant_id, import_id, xpm_client_id, place)
), crowds AS MATERIALIZED (  -- once for each practice, where it would be counted for each import
    SELECT tenant_id, (
        SELECT count(*) FROM (
            SELECT FROM requests
            WHERE requests.tenant_id = tenants.tenant_id
                AND status IN ('queued', 'behind') AND requests.xpm_client_id IS NOT NULL
            LIMIT $5
        ) AS counted
    ) AS waiting
    FROM (SELECT DISTINCT tenant_id FROM asked) AS tenants
)
SELECT
    place, record, full_at, fresh_at, sees_archived, checks, lookups, clock_timestamp() AS now, asked_at,
    lists_from IS NULL OR lists_from <= clock_timestamp() AS lists_work,
    coalesce(full_at >= asked_at, false) AS covered, waiting
FROM asked
JOIN mirrors USING (tenant_id, xpm_tenant_id)
JOIN crowds USING (tenant_id)
CROSS JOIN LATERAL (
    SELECT (
        SELECT taken_in_at FROM requests
        WHERE requests.tenant_id = asked.tenant_id AND requests.import_id = asked.import_id
    ) AS asked_at
) AS request
LEFT JOIN LATERAL (  -- one by one: with young statistics a join reads the whole tenant
    SELECT record, read_at FROM mirror_clients
    WHERE mirror_clients.tenant_id = asked.tenant_id AND mirror_clients.xpm_client_id = asked.xpm_client_id
    LIMIT 1
) AS client ON full_at >= asked_at AND read_at >= asked_at;

-- begin --
-- Be the one who reads the practice, and say when that began
UPDATE mirrors SET read_by = $2, read_until = clock_timestamp() + $3::interval
WHERE tenant_id = $1 AND (read_until IS NULL OR read_until <= clock_timestamp())
RETURNING clock_timestamp();

-- go_on --
-- Still be the one
UPDATE mirrors SET read_until = clock_timestamp() + $3::interval WHERE tenant_id = $1 AND read_by = $2;

-- end --
-- Let others read the practice
UPDATE mirrors SET read_by = NULL, read_until = NULL WHERE tenant_id = $1 AND read_by = $2;

-- wanted --
-- The clients whose imports wait
SELECT DISTINCT lower(xpm_client_id) AS xpm_client_id FROM requests
WHERE tenant_id = $1 AND status IN ('queued', 'behind') AND xpm_client_id IS NOT NULL;

-- keep_parties --
-- Keep records as they were then; what was asked later stays. Nothing is kept of a practice that was erased meanwhile
WITH mine AS (SELECT tenant_id FROM mirrors WHERE tenant_id = ANY ($1::text[]) ORDER BY tenant_id FOR KEY SHARE)
INSERT INTO mirror_parties (tenant_id, xpm_client_id, details, archived, deleted, as_of)
SELECT tenant_id, xpm_client_id, details, archived, deleted, as_of
FROM unnest($1::text[], $2::text[], $3::jsonb[], $4::boolean[], $5::boolean[], $6::timestamptz[])
    AS read (tenant_id, xpm_client_id, details, archived, deleted, as_of)
JOIN mine USING (tenant_id)
ORDER BY tenant_id, xpm_client_id
ON CONFLICT (tenant_id, xpm_client_id) DO UPDATE SET
    details = excluded.details, archived = excluded.archived, deleted = excluded.deleted, as_of = excluded.as_of
WHERE mirror_parties.as_of <= excluded.as_of;

-- keep_clients --
-- Keep whole records for the imports that wait; none of a practice that was erased meanwhile
WITH mine AS (SELECT tenant_id FROM mirrors WHERE tenant_id = $1 FOR KEY SHARE)
INSERT INTO mirror_clients (tenant_id, xpm_client_id, record, read_at)
SELECT mine.tenant_id, xpm_client_id, record, $4 FROM mine, unnest($2::text[], $3::jsonb[]) AS read (xpm_client_id, record)
ORDER BY xpm_client_id
ON CONFLICT (tenant_id, xpm_client_id) DO UPDATE SET record = excluded.record, read_at = excluded.read_at;

-- read_whole --
-- Everything was read: what did not come is not there any more
WITH gone AS (
    DELETE FROM mirror_parties WHERE tenant_id = $1 AND as_of < $2
), used AS (
    DELETE FROM mirror_clients WHERE tenant_id = $1 AND read_at < $2
)
UPDATE mirrors SET
    full_at = $2, fresh_at = $2, sees_archived = $3, checks = 0, lookups = 0, failures = 0, lists_from = NULL
WHERE tenant_id = $1;

-- read_changes --
-- What has changed was read
UPDATE mirrors SET fresh_at = $2, failures = 0, lists_from = NULL WHERE tenant_id = $1;

-- failed --
-- A list failed: after the second time in a row lists are left alone for a while
UPDATE mirrors SET
    failures = failures + 1,
    lists_from = CASE WHEN failures > 0 THEN clock_timestamp() + $2::interval ELSE lists_from END
WHERE tenant_id = $1;

-- looked_up --
-- So many parties were read one by one, so many of them although a list of everything did not bring them
UPDATE mirrors SET lookups = lookups + $2, checks = checks + $3 WHERE tenant_id = $1;

-- parties --
-- Records that are fresh: read since then, or followed by a reading of all changes since then
SELECT place, xpm_client_id, details, archived, deleted, as_of
FROM unnest($1::integer[], $2::text[], $3::text[], $4::timestamptz[]) AS asked (place, tenant_id, xpm_client_id, since)
CROSS JOIN LATERAL (  -- one by one, as above
    SELECT details, archived, deleted, as_of FROM mirror_parties
    WHERE mirror_parties.tenant_id = asked.tenant_id AND mirror_parties.xpm_client_id = asked.xpm_client_id
    LIMIT 1
) AS party
JOIN mirrors USING (tenant_id)
WHERE as_of >= since OR fresh_at >= since;

-- erase --
-- Erase the mirrors of tenants that are not connected, neither by themselves nor by what was given
DELETE FROM mirrors
WHERE tenant_id <> ALL ($1::text[])
    AND NOT EXISTS (SELECT FROM connections WHERE connections.tenant_id = mirrors.tenant_id AND state = 'connected');

-- erase_all --
-- Nothing is to be kept
DELETE FROM mirrors;

-- forget_clients --
-- Drop whole records that no import has needed for a while
DELETE FROM mirror_clients WHERE read_at < clock_timestamp() - interval '1 hour';
