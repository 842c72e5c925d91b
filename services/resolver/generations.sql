-- live_generation --
-- The generation that readers and the resolver use
SELECT number, rules, swap FROM resolver.generations WHERE live;

-- add_generation --
-- Note a generation that is live from now on
INSERT INTO resolver.generations (number, rules, swap, live, made_at) VALUES ($1, $2, $3, true, clock_timestamp());
