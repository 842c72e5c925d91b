-- add_tenants --
-- Let tenants that were never seen be there to be locked
INSERT INTO tenants (tenant_id)
SELECT tenant_id FROM unnest($1::text[]) AS seen (tenant_id) ORDER BY tenant_id
ON CONFLICT DO NOTHING;

-- lock_tenants --
-- Lock the tenants whose rows a batch folds, in one order everywhere, if all are there, and then look at the clock
WITH locked AS MATERIALIZED (
    SELECT tenant_id, folds FROM tenants
    WHERE tenant_id = ANY ($1::text[])
        AND (SELECT count(*) FROM tenants WHERE tenant_id = ANY ($1::text[])) = cardinality($1::text[])
    ORDER BY tenant_id
    FOR UPDATE
)
SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint AS now, array_agg(folds ORDER BY tenant_id) AS folds
FROM locked HAVING count(*) = cardinality($1::text[]);

-- count_folds --
-- Count that rows of these tenants are folded once more, of those where nobody else was in between
UPDATE tenants SET folds = tenants.folds + 1
FROM unnest($1::text[], $2::bigint[]) AS seen (tenant_id, folds)
WHERE tenants.tenant_id = seen.tenant_id AND tenants.folds = seen.folds
RETURNING 1;

-- load --
-- What a few inputs need, without a lock: the clock, how often each tenant's rows were folded, and the rows
SELECT
    floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint,
    ARRAY(SELECT folds FROM tenants WHERE tenant_id = ANY ($4::text[]) ORDER BY tenant_id),
    ARRAY(
        SELECT ROW(progress.tenant_id, outcome_offset, outcome_swap, request_seen, bulk_from, reviewable, shown)
        FROM unnest($1::text[], $2::text[], $3::text[]) AS touched (tenant_id, kind, row_id)
        JOIN progress USING (tenant_id, kind, row_id)
    );

-- now --
-- Milliseconds since 1970, as readers of this database see it
SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint;

-- rows --
-- The rows under these keys, as they were stored
SELECT progress.tenant_id, outcome_offset, outcome_swap, request_seen, bulk_from, reviewable, shown
FROM unnest($1::text[], $2::text[], $3::text[]) AS touched (tenant_id, kind, row_id)
JOIN progress USING (tenant_id, kind, row_id);

-- add_partitions --
-- Make a day's partitions; false if they are there already
SELECT add_partitions($1);

-- drop_partitions --
-- Drop the partitions of the days that were over by then, and say how many
SELECT drop_partitions($1);

-- put_rows --
-- Store rows as they are now
INSERT INTO progress (
    tenant_id, kind, row_id, requested_at, status, client_id,
    outcome_offset, outcome_swap, request_seen, bulk_from, reviewable, shown
)
SELECT *
FROM unnest(
    $1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::text[], $6::text[],
    $7::bigint[], $8::integer[], $9::boolean[], $10::timestamptz[], $11::integer[], $12::json[]
)
ON CONFLICT (tenant_id, kind, row_id, requested_at) DO UPDATE SET
    status = excluded.status,
    client_id = excluded.client_id,
    outcome_offset = excluded.outcome_offset,
    outcome_swap = excluded.outcome_swap,
    request_seen = excluded.request_seen,
    bulk_from = excluded.bulk_from,
    reviewable = excluded.reviewable,
    shown = excluded.shown;

-- keep_snapshots --
-- Keep what is to be published of rows, under the input that changed the row
INSERT INTO snapshots (topic, partition, "offset", tenant_id, kind, row_id, requested_at, event)
SELECT *
FROM unnest($1::text[], $2::integer[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::timestamptz[], $8::text[]);

-- snapshots --
-- What was to be published of these inputs, in their order
SELECT tenant_id, event
FROM snapshots
WHERE topic = $1 AND partition = $2 AND "offset" >= $3 AND "offset" < $4
ORDER BY "offset", tenant_id, kind, row_id;

-- page --
-- Visible rows from the newest to the oldest, after the last one seen; a filter that is null lets everything pass
SELECT requested_at, kind, row_id, shown
FROM visible_progress
WHERE tenant_id = $1
    AND ($2::text IS NULL OR client_id = $2)
    AND ($3::text[] IS NULL OR status = ANY ($3))
    AND ($4::text[] IS NULL OR kind = ANY ($4))
    AND ($5::timestamptz IS NULL OR requested_at >= $5)
    AND ($6::timestamptz IS NULL OR requested_at < $6)
    AND ($7::timestamptz IS NULL OR (requested_at, kind, row_id) < ($7, $8::text, $9::text))
ORDER BY requested_at DESC, kind DESC, row_id DESC
LIMIT $10;

-- one_row --
-- One visible row
SELECT shown FROM visible_progress WHERE tenant_id = $1 AND kind = $2 AND row_id = $3;
