-- live_generation --
-- The generation that readers and the resolver use
SELECT number, rules, swap FROM resolver.generations WHERE live;

-- stays_live --
-- A row if this generation is live by now
SELECT 1 WHERE resolver.is_live($1, $2, $3);

-- add_first_generation --
-- Note the generation that is live from the first day on
INSERT INTO resolver.generations (number, rules, swap, live, made_at) VALUES ($1, $2, 0, true, clock_timestamp());

-- add_generation --
-- Note a generation that is being folded, under the next number that was never given
INSERT INTO resolver.generations (number, rules, swap, live, made_at, purpose)
SELECT 1 + greatest(max(number), (SELECT max(generation) FROM resolver.swaps)), $1, 0, false, clock_timestamp(), $2
FROM resolver.generations
RETURNING number, rules, swap;

-- forget_generation --
-- A generation whose tables are gone
DELETE FROM resolver.generations WHERE number = $1 AND NOT live;

-- keep_as_snapshot --
-- A generation that a verification found right
UPDATE resolver.generations SET purpose = 'snapshot' WHERE number = $1 AND NOT live;

-- others --
-- The generations beside the live one, newest first
SELECT number, rules, swap, purpose, replaced_by, made_at FROM resolver.generations WHERE NOT live ORDER BY number DESC;

-- nothing_applied --
-- Whether the live generation is empty
SELECT NOT EXISTS (SELECT FROM {live}.positions WHERE applied_to > 0);
