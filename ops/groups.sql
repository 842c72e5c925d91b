-- stored --
-- How far a service's group has come
SELECT topic, partition, cluster_id, epoch, applied_to, published_to
FROM positions
WHERE "group" = $1
ORDER BY topic, partition;

-- resolver_again --
-- How many outcomes are recorded of these spans of the journal; a repeat is answered with another record's
SELECT count(*) FROM decisions
JOIN unnest($1::text[], $2::integer[], $3::bigint[], $4::bigint[]) AS span (topic, partition, since, until)
    ON decisions.partition = span.partition AND decisions."offset" >= span.since AND decisions."offset" < span.until
WHERE decisions.outcome IS NOT NULL OR decisions.first_offset IS NOT NULL;

-- notifier_again --
-- How many snapshots are stored for these spans
SELECT count(*) FROM snapshots
JOIN unnest($1::text[], $2::integer[], $3::bigint[], $4::bigint[]) AS span (topic, partition, since, until)
    ON snapshots.topic = span.topic AND snapshots.partition = span.partition
    AND snapshots."offset" >= span.since AND snapshots."offset" < span.until;

-- read_again --
-- Have records read again from there; what was published of them is no longer out either
UPDATE positions
SET applied_to = moved.new, published_to = least(positions.published_to, moved.new), updated_at = now()
FROM unnest($2::text[], $3::integer[], $4::bigint[]) AS moved (topic, partition, new)
WHERE positions."group" = $1 AND positions.topic = moved.topic AND positions.partition = moved.partition
    AND moved.new < positions.applied_to;

-- publish_again --
-- Have what came of records published again from there
UPDATE positions
SET published_to = moved.new, updated_at = now()
FROM unnest($2::text[], $3::integer[], $4::bigint[]) AS moved (topic, partition, new)
WHERE positions."group" = $1 AND positions.topic = moved.topic AND positions.partition = moved.partition
    AND moved.new < positions.published_to;
