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

-- unfinished --
-- Runs that began and of which nothing was heard since: they were killed, or still go on
SELECT begun.run, begun.at, begun.who, begun.verb, begun.arguments
FROM ops.audit AS begun
WHERE begun.what = 'begun'
    AND ($1::text IS NULL OR begun.verb = $1)
    AND NOT EXISTS (SELECT FROM ops.audit AS ended WHERE ended.run = begun.run AND ended.what <> 'begun')
ORDER BY begun.number;

-- end_killed --
-- Note that runs of a verb were killed: whoever says so has made sure that none of them still goes on
INSERT INTO ops.audit (run, what, who, release, verb, arguments, result)
SELECT begun.run, 'interrupted', begun.who, begun.release, begun.verb, begun.arguments, '{"killed": true}'
FROM ops.audit AS begun
WHERE begun.what = 'begun' AND begun.verb = $1
    AND NOT EXISTS (SELECT FROM ops.audit AS ended WHERE ended.run = begun.run AND ended.what <> 'begun');
