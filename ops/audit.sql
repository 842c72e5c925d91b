-- add --
-- Note what a run is about to do, or how it ended
INSERT INTO ops.audit (run, what, who, release, verb, arguments, result)
VALUES ($1, $2, $3, $4, $5, $6::text::jsonb, $7::text::jsonb);

-- lines --
-- The last lines, newest first
SELECT number, run, at, what, who, login, release, verb, arguments, result
FROM ops.audit
WHERE ($1::text IS NULL OR verb = $1 OR verb LIKE $1 || ' %')
ORDER BY number DESC
LIMIT $2;

-- hold --
-- Show that a run goes on; whoever is killed lets go of it
SELECT pg_advisory_lock(hashtextextended('muster run ' || $1::uuid, 0));

-- unfinished --
-- Runs that began and of which nothing was heard since, and whether they still go on: if not, they were killed
SELECT begun.run, begun.at, begun.who, begun.verb, begun.arguments,
    hashtextextended('muster run ' || begun.run, 0) IN (
        SELECT classid::bigint << 32 | objid::bigint FROM pg_locks
        WHERE locktype = 'advisory' AND granted AND objsubid = 1
            AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    ) AS at_work
FROM ops.audit AS begun
WHERE begun.what = 'begun'
    AND ($1::text IS NULL OR begun.verb = $1)
    AND NOT EXISTS (SELECT FROM ops.audit AS ended WHERE ended.run = begun.run AND ended.what <> 'begun')
ORDER BY begun.number;

-- end_killed --
-- Note of these runs that they were killed
INSERT INTO ops.audit (run, what, who, release, verb, arguments, result)
SELECT begun.run, 'interrupted', begun.who, begun.release, begun.verb, begun.arguments, '{"killed": true}'
FROM ops.audit AS begun
WHERE begun.what = 'begun' AND begun.run = ANY ($1::uuid[])
    AND NOT EXISTS (SELECT FROM ops.audit AS ended WHERE ended.run = begun.run AND ended.what <> 'begun');
