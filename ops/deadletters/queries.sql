-- alone --
-- Let one operator at a time change how letters stand; ends with the session
SELECT pg_try_advisory_lock(hashtextextended('muster dead letters', 0));

-- handled --
-- How the letters stand that somebody did something about: their last attempt
SELECT DISTINCT ON (letter_id) letter_id, attempt, run, action, state, at, topic, redrives, reason, partition, "offset"
FROM ops.dead_letters
ORDER BY letter_id, attempt DESC;

-- attempts --
-- Everything that was done about a letter
SELECT letter_id, attempt, run, action, state, at, topic, redrives, reason, partition, "offset"
FROM ops.dead_letters
WHERE letter_id = $1
ORDER BY attempt;

-- begin --
-- Note what is about to be redriven, before it is
INSERT INTO ops.dead_letters (letter_id, attempt, run, action, state, topic, redrives)
SELECT letter_id, attempt, $1, 'redrive', 'begun', topic, redrives
FROM unnest($2::text[], $3::integer[], $4::text[], $5::integer[]) AS letters (letter_id, attempt, topic, redrives);

-- redriven --
-- The copies are acknowledged
UPDATE ops.dead_letters SET state = 'done', partition = copies.partition, "offset" = copies."offset"
FROM unnest($1::text[], $2::integer[], $3::integer[], $4::bigint[]) AS copies (letter_id, attempt, partition, "offset")
WHERE dead_letters.letter_id = copies.letter_id AND dead_letters.attempt = copies.attempt;

-- not_redriven --
-- Of these there is no copy: they are open again
UPDATE ops.dead_letters SET state = 'undone'
FROM unnest($1::text[], $2::integer[]) AS letters (letter_id, attempt)
WHERE dead_letters.letter_id = letters.letter_id AND dead_letters.attempt = letters.attempt;

-- discard --
-- Nothing is to be done about these, and why
INSERT INTO ops.dead_letters (letter_id, attempt, run, action, state, topic, redrives, reason)
SELECT letter_id, attempt, $1, 'discard', 'done', topic, redrives, $6
FROM unnest($2::text[], $3::integer[], $4::text[], $5::integer[]) AS letters (letter_id, attempt, topic, redrives);

-- in_doubt --
-- What a run that was killed was about to redrive
SELECT letter_id, attempt, run, action, state, at, topic, redrives, reason, partition, "offset"
FROM ops.dead_letters
WHERE state = 'begun'
ORDER BY at;

-- came_to --
-- What runs came to: how many letters they have redriven, and how many they had in hand and did not send
SELECT runs.run, count(*) FILTER (WHERE state = 'done') AS redriven, count(*) FILTER (WHERE state = 'undone') AS undone
FROM unnest($1::uuid[]) AS runs (run)
LEFT JOIN ops.dead_letters ON dead_letters.run = runs.run AND action = 'redrive'
GROUP BY runs.run;

-- replayed --
-- Of these, the open ones: a replay has decided the record at its own place
INSERT INTO ops.dead_letters (letter_id, attempt, run, action, state, topic, redrives)
SELECT letter_id, coalesce(last.attempt, 0) + 1, $1, 'replay', 'done', $3, coalesce(last.redrives, 0)
FROM unnest($2::text[]) AS decided (letter_id)
LEFT JOIN LATERAL (
    SELECT attempt, state, redrives FROM ops.dead_letters
    WHERE dead_letters.letter_id = decided.letter_id ORDER BY attempt DESC LIMIT 1
) AS last ON true
WHERE last.state IS NULL OR last.state = 'undone'
RETURNING letter_id;

-- open_again --
-- Of these, the ones that a replay had decided: another one breaks on them again
INSERT INTO ops.dead_letters (letter_id, attempt, run, action, state, topic, redrives)
SELECT letter_id, last.attempt + 1, $1, 'replay', 'undone', $3, last.redrives
FROM unnest($2::text[]) AS lost (letter_id)
JOIN LATERAL (
    SELECT attempt, action, state, redrives FROM ops.dead_letters
    WHERE dead_letters.letter_id = lost.letter_id ORDER BY attempt DESC LIMIT 1
) AS last ON true
WHERE last.action = 'replay' AND last.state = 'done'
RETURNING letter_id;

-- decided_otherwise --
-- Records that one of two generations could process and the other could not; `decided`: the live one could
SELECT DISTINCT differences.partition, differences."offset",
    live.result NOT IN ('failed', 'unreadable') AS decided
FROM {live}.differences
JOIN {live}.decisions AS live
    ON live.partition = differences.partition AND live."offset" = differences."offset" AND live.ordinal = 0
JOIN {before}.decisions AS before
    ON before.partition = differences.partition AND before."offset" = differences."offset" AND before.ordinal = 0
WHERE differences."table" = 'decisions'
    AND (live.result IN ('failed', 'unreadable')) <> (before.result IN ('failed', 'unreadable'));
