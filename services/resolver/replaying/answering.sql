-- start --
-- What a swap is to publish, beside the tables of the generation that it makes live; of no meaning before
CREATE TABLE IF NOT EXISTS {there}.swap_outcomes (
    number    bigint  GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id text    NOT NULL,
    client_id text,                         -- of a present state
    partition integer NOT NULL,
    told      text    NOT NULL              -- an outcome as published; of a present state its data, without a version
);
TRUNCATE {there}.swap_outcomes;

-- add_answers --
-- The answers of records of a part that came out differently, in the order of the journal
INSERT INTO {there}.swap_outcomes (tenant_id, partition, told)
SELECT decided.tenant_id, $1, answer.outcome
FROM (
    SELECT DISTINCT "offset" FROM {there}.differences
    WHERE "table" = 'decisions' AND answer AND partition = $1 AND "offset" >= $2 AND "offset" < $3
) AS answered
JOIN {there}.decisions AS decided ON decided.partition = $1 AND decided."offset" = answered."offset"
JOIN {there}.decisions AS answer
    ON answer.partition = $1
    AND answer.tenant_id = decided.tenant_id
    AND answer."offset" = coalesce(decided.first_offset, decided."offset")
    AND (decided.first_offset IS NOT NULL OR answer.ordinal = decided.ordinal)
WHERE answer.outcome IS NOT NULL
ORDER BY decided."offset", answer.ordinal;

-- add_states --
-- Present states that are to be told
INSERT INTO {there}.swap_outcomes (tenant_id, client_id, partition, told)
SELECT * FROM unnest($1::text[], $2::text[], $3::integer[], $4::text[]);

-- forget_states --
-- The states of some clients are to be told as they are by now
DELETE FROM {there}.swap_outcomes
USING unnest($1::text[], $2::text[]) AS touched (tenant_id, client_id)
WHERE swap_outcomes.tenant_id = touched.tenant_id AND swap_outcomes.client_id = touched.client_id;

-- present --
-- Rows of {table} that differ, as they are there, or as they were here where they are gone; of all clients or some
SELECT differences.kind, present.*, clients.details ->> 'name' AS client_name
FROM {there}.differences
JOIN {side}.{table} AS present ON present.tenant_id = differences.tenant_id AND present.{key} = differences.key[1]
LEFT JOIN {there}.clients AS clients
    ON clients.tenant_id = present.tenant_id AND clients.client_id = present.client_id
WHERE "table" = '{table}' AND (kind = 'only_here') = $1
    AND ($2::text[] IS NULL
        OR (differences.tenant_id, differences.client_id) IN (SELECT * FROM unnest($2::text[], $3::text[])));

-- planned --
-- How much a swap would publish
SELECT count(*) FILTER (WHERE client_id IS NULL) AS answers, count(*) FILTER (WHERE client_id IS NOT NULL) AS states
FROM {there}.swap_outcomes;
