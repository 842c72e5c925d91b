-- here --
-- How far the live generation contains the journal, and how much of that is out
SELECT partition, applied_to, published_to FROM {here}.positions WHERE "group" = 'resolver';

-- lock --
-- All of the resolver's positions, those that are not there yet too: no batch begins or ends meanwhile
LOCK TABLE {here}.positions IN EXCLUSIVE MODE;

-- lock_live --
-- The live generation, which nobody else changes meanwhile
SELECT number, rules, swap FROM resolver.generations WHERE live FOR UPDATE;

-- carry_published --
-- What is not out yet is published from the tables that are live then
UPDATE {there}.positions AS there SET published_to = least(here.published_to, there.applied_to)
FROM {here}.positions AS here
WHERE here."group" = there."group" AND here.topic = there.topic AND here.partition = there.partition;

-- let_go --
-- The tables that were live have nothing left to publish
UPDATE {here}.positions SET published_to = applied_to WHERE published_to < applied_to;

-- first_of_last_hours --
-- For each partition the first record of the last so many hours
SELECT partition, min("offset") AS "offset" FROM {there}.decisions
WHERE at >= now() - make_interval(hours => $1) GROUP BY partition;

-- publish_from --
-- After the loss of a database the outcomes from here on are published again
UPDATE {there}.positions SET published_to = least(applied_to, coalesce($2, applied_to)) WHERE partition = $1;

-- last_number --
-- The highest number of a swap so far
SELECT greatest((SELECT max(number) FROM resolver.swaps), (SELECT max(swap) FROM resolver.generations), 0);

-- add_swap --
-- Note the swap
INSERT INTO resolver.swaps (number, generation, before, at) VALUES ($1, $2, $3, date_trunc('milliseconds', clock_timestamp()));

-- add_swap_offsets --
-- Note where it stands in each partition
INSERT INTO resolver.swap_offsets (swap, partition, "offset")
SELECT $1, partition, CASE WHEN $2 THEN 0 ELSE applied_to END
FROM {there}.positions WHERE "group" = 'resolver' AND topic = $3;

-- retire --
-- The generation that was live
UPDATE resolver.generations SET live = false, replaced_by = $2 WHERE number = $1;

-- make_live --
-- The generation that is live from now on
UPDATE resolver.generations SET live = true, swap = $2, replaced_by = NULL, purpose = 'replay' WHERE number = $1;

-- take_over --
-- The same tables, as another release's rules would have folded them
UPDATE resolver.generations SET rules = $2 WHERE number = $1 AND live;
