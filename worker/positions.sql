-- insert_missing --
-- Let partitions that were never read begin; rows that are there stay as they are
INSERT INTO positions
    ("group", topic, partition, cluster_id, epoch, applied_to, published_to, updated_at)
SELECT $1, missing.topic, missing.partition, $2, $3, missing.since, missing.since, now()
FROM unnest($4::text[], $5::integer[], $6::bigint[]) AS missing (topic, partition, since)
ORDER BY missing.topic, missing.partition
ON CONFLICT DO NOTHING;

-- lock --
-- Lock the rows of these partitions, in one order everywhere
SELECT topic, partition, cluster_id, epoch, applied_to, published_to
FROM positions
WHERE "group" = $1
    AND (topic, partition) IN (SELECT * FROM unnest($2::text[], $3::integer[]))
ORDER BY topic, partition
FOR UPDATE;

-- advance --
-- Move positions with the effects of a batch; `published_to` only ever grows
UPDATE positions
SET applied_to = moved.applied_to,
    published_to = greatest(positions.published_to, moved.published_to),
    updated_at = now()
FROM unnest($2::text[], $3::integer[], $4::bigint[], $5::bigint[])
    AS moved (topic, partition, applied_to, published_to)
WHERE positions."group" = $1
    AND positions.topic = moved.topic
    AND positions.partition = moved.partition;

-- advance_from --
-- The same, of those that stand where the batch begins and belong to this log
UPDATE positions
SET applied_to = moved.applied_to,
    published_to = greatest(positions.published_to, moved.published_to),
    updated_at = now()
FROM unnest($2::text[], $3::integer[], $4::bigint[], $5::bigint[], $6::bigint[])
    AS moved (topic, partition, since, applied_to, published_to)
WHERE positions."group" = $1
    AND positions.topic = moved.topic
    AND positions.partition = moved.partition
    AND positions.applied_to = moved.since
    AND positions.cluster_id = $7
    AND positions.epoch = $8
RETURNING 1;

-- mark_published --
-- Note how far everything was acknowledged, without a batch
UPDATE positions
SET published_to = published.published_to, updated_at = now()
FROM unnest($2::text[], $3::integer[], $4::bigint[]) AS published (topic, partition, published_to)
WHERE positions."group" = $1
    AND positions.topic = published.topic
    AND positions.partition = published.partition
    AND positions.published_to < published.published_to
    AND positions.applied_to >= published.published_to;
