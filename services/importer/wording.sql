-- corrections --
-- What a practice means by words at present, as far as it has ever changed that
SELECT DISTINCT ON (word) word, meaning, changed_by, changed_at
FROM wording WHERE tenant_id = $1
ORDER BY word, ordinal DESC;

-- correct --
-- Note what a practice means by words from now on
INSERT INTO wording (tenant_id, word, meaning, changed_by)
SELECT $1, word, meaning, $4
FROM unnest($2::text[], $3::jsonb[]) WITH ORDINALITY AS changed (word, meaning, place)
ORDER BY place;
