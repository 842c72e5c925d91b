-- start --
-- Where differences are noted, beside the tables of the generation that is compared with the live one
CREATE UNLOGGED TABLE IF NOT EXISTS {there}.differences (
    "table"   text    NOT NULL,
    tenant_id text    NOT NULL,
    client_id text,
    key       text[]  NOT NULL,
    partition integer,
    "offset"  bigint,
    kind      text    NOT NULL CHECK (kind IN ('only_here', 'only_there', 'different')),
    answer    boolean NOT NULL              -- of decisions: what the record was answered differs
);
TRUNCATE {there}.differences;

-- index --
-- However much differs, under the locks of a swap only what has come since is looked for
CREATE INDEX IF NOT EXISTS differences_of_records ON {there}.differences (partition, "offset") WHERE "table" = 'decisions';
CREATE INDEX IF NOT EXISTS differences_of_clients ON {there}.differences (tenant_id, client_id) WHERE "table" <> 'decisions';
CREATE INDEX IF NOT EXISTS swap_outcomes_of_clients ON {there}.swap_outcomes (tenant_id, client_id);
ANALYZE {there}.differences;
ANALYZE {there}.swap_outcomes;

-- entities --
-- Rows of a table that are in one generation only, or differ; $1 names the table, $2 one tenant or all
INSERT INTO {there}.differences ("table", tenant_id, client_id, key, kind, answer)
SELECT $1, tenant_id, {client}, ARRAY[{key}],
    CASE WHEN there.hash IS NULL THEN 'only_here' WHEN here.hash IS NULL THEN 'only_there' ELSE 'different' END,
    false
FROM (
    SELECT {named}, hash_record_extended(ROW({columns}), 0) AS hash
    FROM {here}.{table} WHERE $2::text IS NULL OR tenant_id = $2
) AS here
FULL JOIN (
    SELECT {named}, hash_record_extended(ROW({columns}), 0) AS hash
    FROM {there}.{table} WHERE $2::text IS NULL OR tenant_id = $2
) AS there
USING (tenant_id, {key})
WHERE here.hash IS DISTINCT FROM there.hash;

-- entities_of_clients --
-- The same for the rows of some clients only
INSERT INTO {there}.differences ("table", tenant_id, client_id, key, kind, answer)
SELECT $1, tenant_id, {client}, ARRAY[{key}],
    CASE WHEN there.hash IS NULL THEN 'only_here' WHEN here.hash IS NULL THEN 'only_there' ELSE 'different' END,
    false
FROM (
    SELECT {named}, hash_record_extended(ROW({columns}), 0) AS hash
    FROM {here}.{table} JOIN unnest($2::text[], $3::text[]) AS touched (tenant_id, client_id)
        USING (tenant_id, client_id)
) AS here
FULL JOIN (
    SELECT {named}, hash_record_extended(ROW({columns}), 0) AS hash
    FROM {there}.{table} JOIN unnest($2::text[], $3::text[]) AS touched (tenant_id, client_id)
        USING (tenant_id, client_id)
) AS there
USING (tenant_id, {key})
WHERE here.hash IS DISTINCT FROM there.hash;

-- forget_clients --
-- What was noted of some clients is to be looked at again
DELETE FROM {there}.differences
USING unnest($1::text[], $2::text[]) AS touched (tenant_id, client_id)
WHERE differences.tenant_id = touched.tenant_id AND differences.client_id = touched.client_id
    AND "table" <> 'decisions';

-- decisions --
-- What a part of a partition's records came to: the rest of a row first, the outcome without the number of its swap
WITH unequal AS (
    SELECT tenant_id, "offset", ordinal,
        CASE WHEN there.rest IS NULL THEN 'only_here' WHEN here.rest IS NULL THEN 'only_there' ELSE 'different' END
            AS kind,
        here.rest IS DISTINCT FROM there.rest AS rest_differs
    FROM (
        SELECT tenant_id, "offset", ordinal, hash_record_extended(ROW({columns}), 0) AS rest,
            hashtextextended(outcome, 0) AS told
        FROM {here}.decisions
        WHERE partition = $1 AND "offset" >= $2 AND "offset" < $3 AND ($4::text IS NULL OR tenant_id = $4)
    ) AS here
    FULL JOIN (
        SELECT tenant_id, "offset", ordinal, hash_record_extended(ROW({columns}), 0) AS rest,
            hashtextextended(outcome, 0) AS told
        FROM {there}.decisions
        WHERE partition = $1 AND "offset" >= $2 AND "offset" < $3 AND ($4::text IS NULL OR tenant_id = $4)
    ) AS there
    USING (tenant_id, "offset", ordinal)
    WHERE here.rest IS DISTINCT FROM there.rest OR here.told IS DISTINCT FROM there.told
),
seen AS (
    SELECT unequal.*, coalesce(there.client_id, here.client_id) AS client_id,
        resolver.with_swap(here.outcome, 0) IS DISTINCT FROM resolver.with_swap(there.outcome, 0)
            OR here.first_offset IS DISTINCT FROM there.first_offset AS answer
    FROM unequal
    LEFT JOIN {here}.decisions AS here
        ON here.partition = $1 AND here."offset" = unequal."offset" AND here.ordinal = unequal.ordinal
        AND here.tenant_id = unequal.tenant_id
    LEFT JOIN {there}.decisions AS there
        ON there.partition = $1 AND there."offset" = unequal."offset" AND there.ordinal = unequal.ordinal
        AND there.tenant_id = unequal.tenant_id
)
INSERT INTO {there}.differences ("table", tenant_id, client_id, key, partition, "offset", kind, answer)
SELECT 'decisions', tenant_id, client_id, ARRAY[$1::text, "offset"::text, ordinal::text], $1, "offset", kind, answer
FROM seen
WHERE answer OR rest_differs;

-- adopt_numbers --
-- Answers that came out the same keep the number under which they were told
UPDATE {there}.decisions AS there SET outcome = here.outcome
FROM {here}.decisions AS here
WHERE there.partition = $1 AND there."offset" >= $2 AND there."offset" < $3
    AND here.partition = $1 AND here."offset" >= $2 AND here."offset" < $3
    AND here."offset" = there."offset" AND here.ordinal = there.ordinal AND here.tenant_id = there.tenant_id
    AND hashtextextended(here.outcome, 0) <> hashtextextended(there.outcome, 0)
    AND resolver.with_swap(here.outcome, 0) = resolver.with_swap(there.outcome, 0);

-- number_anew --
-- Answers that came out differently are told under the number of the swap to come
UPDATE {there}.decisions AS there SET outcome = resolver.with_swap(there.outcome, $4)
FROM (
    SELECT DISTINCT "offset" FROM {there}.differences
    WHERE "table" = 'decisions' AND answer AND partition = $1 AND "offset" >= $2 AND "offset" < $3
) AS answered
WHERE there.partition = $1 AND there."offset" = answered."offset" AND there.outcome IS NOT NULL;

-- counts --
-- How many rows differ in which way, per table and tenant
SELECT "table", tenant_id, kind, count(*) AS rows
FROM {there}.differences
GROUP BY "table", tenant_id, kind
ORDER BY "table", tenant_id, kind;

-- sizes --
-- How many rows were compared
SELECT count(*) FROM {there}.{table} WHERE $1::text IS NULL OR tenant_id = $1;

-- examples --
-- Some rows that differ, a few of each tenant and kind, with both sides
SELECT chosen.tenant_id, chosen.key, chosen.kind, to_jsonb(here) AS here, to_jsonb(there) AS there
FROM (
    SELECT tenant_id, key, kind, row_number() OVER (PARTITION BY tenant_id, kind ORDER BY key) AS place
    FROM {there}.differences WHERE "table" = $1 AND tenant_id = ANY ($3::text[])
) AS chosen
LEFT JOIN {here}.{table} AS here ON here.tenant_id = chosen.tenant_id AND {is_here}
LEFT JOIN {there}.{table} AS there ON there.tenant_id = chosen.tenant_id AND {is_there}
WHERE place <= $2
ORDER BY chosen.tenant_id, chosen.kind, chosen.key;

-- checksums --
-- The rows of a table and the sum of their hashes, which no order changes
SELECT count(*) AS rows, coalesce(sum(hash_record_extended(ROW({columns}), 0)::numeric), 0) AS checksum
FROM {there}.{table};

-- columns --
-- The columns that a table has in both generations
SELECT here.attname
FROM pg_attribute AS here
JOIN pg_attribute AS there USING (attname)
WHERE here.attrelid = $1::text::regclass AND there.attrelid = $2::text::regclass
    AND here.attnum > 0 AND there.attnum > 0 AND NOT here.attisdropped AND NOT there.attisdropped
ORDER BY here.attnum;
