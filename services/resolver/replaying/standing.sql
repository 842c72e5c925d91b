-- lock --
-- Let one replay or verification at a time work on this database; ends with the session
SELECT pg_try_advisory_lock(hashtextextended('muster replay', 0));

-- who --
-- Who holds that lock
SELECT activity.pid, activity.backend_start AS since, activity.client_addr::text AS address
FROM pg_locks AS locks JOIN pg_stat_activity AS activity USING (pid)
WHERE locks.locktype = 'advisory' AND locks.granted
    AND locks.database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND locks.objsubid = 1
    AND (locks.classid::bigint << 32 | locks.objid::bigint) = hashtextextended('muster replay', 0);

-- positions --
-- How far a generation contains the journal
SELECT partition, applied_to, published_to FROM {schema}.positions WHERE "group" = 'resolver' ORDER BY partition;

-- tenants_since --
-- Whose records the live generation contains from some places on, those with the most first
SELECT tenant_id, count(*) AS records
FROM {schema}.decisions JOIN unnest($1::integer[], $2::bigint[]) AS since (partition, place) USING (partition)
WHERE decisions."offset" >= since.place AND ordinal = 0
GROUP BY tenant_id ORDER BY count(*) DESC, tenant_id;

-- last_swap --
-- The last swap
SELECT number, generation, before, at FROM resolver.swaps ORDER BY number DESC LIMIT 1;

-- swap_offsets --
-- Under which swap's number the records of each partition are answered, from which offset on
SELECT partition, "offset", swap FROM resolver.swap_offsets ORDER BY partition, swap;
