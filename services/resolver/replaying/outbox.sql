-- is_there --
-- Whether the generation was made live by a swap that had something to store
SELECT to_regclass($1) IS NOT NULL;

-- alone --
-- Let one process at a time publish; ends with the session
SELECT pg_try_advisory_lock(hashtextextended('muster swap outcomes', 0));

-- done --
-- Let another one publish
SELECT pg_advisory_unlock(hashtextextended('muster swap outcomes', 0));

-- swap --
-- The swap that made the live generation live, and where it stands in each partition
SELECT swaps.number, swaps.at, swap_offsets.partition, swap_offsets."offset"
FROM resolver.swaps JOIN resolver.swap_offsets ON swap_offsets.swap = swaps.number
WHERE swaps.number = $1;

-- waiting --
-- How many outcomes are not out yet
SELECT count(*) FROM {schema}.swap_outcomes;

-- some --
-- The next ones to be published
SELECT number, tenant_id, client_id, partition, told FROM {schema}.swap_outcomes ORDER BY number LIMIT $1;

-- out --
-- These are out
DELETE FROM {schema}.swap_outcomes WHERE number = ANY ($1::bigint[]);
