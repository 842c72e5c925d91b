-- add_requests --
-- Take requests in, in their order, each behind the others of its client; those that are known stay as they are
INSERT INTO requests
    (tenant_id, import_id, client_id, xpm_client_id, requested_by, bulk_id, requested_at, content)
SELECT tenant_id, import_id, client_id, xpm_client_id, requested_by, bulk_id, requested_at, content
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::timestamptz[], $8::bytea[])
    WITH ORDINALITY AS incoming
        (tenant_id, import_id, client_id, xpm_client_id, requested_by, bulk_id, requested_at, content, place)
ORDER BY place
ON CONFLICT (tenant_id, import_id) DO NOTHING
RETURNING tenant_id, import_id, client_id;

-- lock_first --
-- Let no request of these clients end until this transaction does, or wait until it has; in the order that all keep
SELECT FROM requests JOIN unnest($1::text[], $2::text[]) AS clients (tenant_id, client_id) USING (tenant_id, client_id)
WHERE status IN ('queued', 'stored')
ORDER BY tenant_id, client_id
FOR UPDATE OF requests;

-- let_next_come --
-- Where the oldest unfinished request of a client stands behind nobody any more, it is queued
UPDATE requests SET status = 'queued', ready_at = clock_timestamp()
WHERE status = 'behind' AND ctid = ANY (ARRAY(  -- found by place: with young statistics a join searches the whole tenant for each of them
    SELECT oldest.ctid
    FROM unnest($1::text[], $2::text[]) AS clients (tenant_id, client_id)
    CROSS JOIN LATERAL (
        SELECT request.ctid, request.status FROM requests AS request
        WHERE request.tenant_id = clients.tenant_id AND request.client_id = clients.client_id
            AND request.status <> 'ended'
        ORDER BY request.arrival LIMIT 1
    ) AS oldest
    WHERE oldest.status = 'behind'
));

-- known_requests --
-- What is known of these requests
SELECT tenant_id, import_id, content
FROM requests JOIN unnest($1::text[], $2::text[]) AS asked (tenant_id, import_id) USING (tenant_id, import_id);

-- ask_again --
-- Have the last events of these imports published again, where they may be out already
WITH again AS (
    SELECT tenant_id, import_id FROM requests
    JOIN unnest($1::text[], $2::text[]) AS asked (tenant_id, import_id) USING (tenant_id, import_id)
    WHERE status IN ('stored', 'ended')
    ORDER BY status = 'ended', tenant_id, client_id, arrival
    FOR UPDATE OF requests
)
UPDATE requests SET asked_again = asked_again + 1
FROM again
WHERE requests.tenant_id = again.tenant_id AND requests.import_id = again.import_id;

-- wake --
-- Tell every process that there is something to do
SELECT pg_notify('importer_requests', '');

-- take_turns --
-- Let one process claim at a time, so that what it counts is so; until the end of the transaction
SELECT pg_advisory_xact_lock(hashtextextended('importer.requests', 0));

-- claim --
-- Lease requests, one of each tenant, and those that need no call: first of who has the fewest and was served longest ago
WITH RECURSIVE waiting AS (
    -- one step through the index for each tenant, however many requests it has
    (SELECT tenant_id FROM requests WHERE to_do ORDER BY tenant_id LIMIT 1)
    UNION ALL
    SELECT (
        SELECT requests.tenant_id FROM requests WHERE to_do AND requests.tenant_id > waiting.tenant_id
        ORDER BY requests.tenant_id LIMIT 1
    )
    FROM waiting WHERE waiting.tenant_id IS NOT NULL
), in_hand AS (
    SELECT tenant_id, count(*) FILTER (WHERE NOT listed) AS calling, count(*) AS number
    FROM (
        SELECT tenant_id, EXISTS (
            SELECT FROM mirrors JOIN mirror_clients USING (tenant_id)
            WHERE tenant_id = requests.tenant_id AND xpm_client_id = lower(requests.xpm_client_id)
                AND full_at >= requests.taken_in_at AND read_at >= requests.taken_in_at
        ) AS listed
        FROM requests WHERE leased_until > statement_timestamp()
    ) AS leased
    GROUP BY tenant_id
), next AS (
    SELECT first.tenant_id, first.import_id, first.arrival, coalesce(in_hand.number, 0) AS in_hand
    FROM waiting
    LEFT JOIN in_hand USING (tenant_id)
    LEFT JOIN turns USING (tenant_id)
    CROSS JOIN LATERAL (
        SELECT request.tenant_id, request.import_id, request.arrival
        FROM requests AS request
        WHERE request.tenant_id = waiting.tenant_id AND request.to_do
            AND request.ready_at <= statement_timestamp()
            AND (request.leased_until IS NULL OR request.leased_until <= statement_timestamp())
            AND (
                turns.paused_until IS NULL OR turns.paused_until <= statement_timestamp()
                OR request.status <> 'queued' OR request.announcement IS NOT NULL
                OR request.requested_at <= statement_timestamp() - $4::interval
            )
        ORDER BY request.arrival
        LIMIT 1
    ) AS first
    WHERE coalesce(in_hand.calling, 0) < $3 AND coalesce(in_hand.number, 0) < greatest($3, $7::integer)
    ORDER BY coalesce(in_hand.number, 0), turns.served_at NULLS FIRST, first.arrival
    LIMIT least($5::integer, $6::integer)
), company AS (
    SELECT next.tenant_id, following.import_id, following.arrival, following.place
    FROM next
    JOIN mirrors USING (tenant_id)
    LEFT JOIN turns USING (tenant_id)
    CROSS JOIN LATERAL (
        SELECT request.*, row_number() OVER (ORDER BY arrival) AS place
        FROM (
            SELECT import_id, xpm_client_id, arrival, taken_in_at FROM requests
            WHERE tenant_id = next.tenant_id AND to_do AND arrival > next.arrival
                AND status = 'queued' AND announcement IS NULL
                AND ready_at <= statement_timestamp()
                AND (leased_until IS NULL OR leased_until <= statement_timestamp())
            ORDER BY arrival
            LIMIT $7::integer
        ) AS request
        WHERE mirrors.full_at >= request.taken_in_at AND EXISTS (
            SELECT FROM mirror_clients
            WHERE mirror_clients.tenant_id = next.tenant_id
                AND mirror_clients.xpm_client_id = lower(request.xpm_client_id)
                AND mirror_clients.read_at >= request.taken_in_at
        )
    ) AS following
    WHERE following.place < $7::integer - next.in_hand
        AND (turns.paused_until IS NULL OR turns.paused_until <= statement_timestamp())
), chosen AS (
    SELECT tenant_id, import_id FROM (
        SELECT tenant_id, import_id, arrival, 0 AS place FROM next
        UNION ALL
        SELECT tenant_id, import_id, arrival, place FROM company
    ) AS all_of_them
    ORDER BY place, arrival
    LIMIT $5
), free AS (
    SELECT tenant_id, import_id FROM requests JOIN chosen USING (tenant_id, import_id)
    FOR UPDATE OF requests SKIP LOCKED
), served AS (
    INSERT INTO turns (tenant_id, served_at)
    SELECT DISTINCT tenant_id, statement_timestamp() FROM free
    ON CONFLICT (tenant_id) DO UPDATE SET served_at = excluded.served_at
)
UPDATE requests SET leased_by = $1, leased_until = clock_timestamp() + $2::interval
FROM free
WHERE requests.tenant_id = free.tenant_id AND requests.import_id = free.import_id
RETURNING requests.*, clock_timestamp() AS claimed_at;

-- claim_ahead --
-- Lease more requests of tenants whose practices answer quickly, so that there are so many of each in hand
WITH wanted AS (
    SELECT tenant_id, allowed - (
        SELECT count(*) FROM requests
        WHERE requests.tenant_id = quick.tenant_id AND leased_until > statement_timestamp()
    ) AS number
    FROM unnest($3::text[], $4::integer[]) AS quick (tenant_id, allowed)
    LEFT JOIN turns USING (tenant_id)
    WHERE turns.paused_until IS NULL OR turns.paused_until <= statement_timestamp()
), chosen AS (
    SELECT wanted.tenant_id, following.import_id
    FROM wanted
    CROSS JOIN LATERAL (
        SELECT import_id, arrival, row_number() OVER (ORDER BY arrival) AS place
        FROM (
            SELECT import_id, arrival FROM requests
            WHERE tenant_id = wanted.tenant_id AND to_do
                AND status = 'queued' AND announcement IS NULL
                AND ready_at <= statement_timestamp()
                AND (leased_until IS NULL OR leased_until <= statement_timestamp())
            ORDER BY arrival
            LIMIT greatest(wanted.number, 0)
        ) AS first
    ) AS following
    ORDER BY following.place, following.arrival
    LIMIT $5
), free AS (
    SELECT tenant_id, import_id FROM requests JOIN chosen USING (tenant_id, import_id)
    FOR UPDATE OF requests SKIP LOCKED
)
UPDATE requests SET leased_by = $1, leased_until = clock_timestamp() + $2::interval
FROM free
WHERE requests.tenant_id = free.tenant_id AND requests.import_id = free.import_id
RETURNING requests.*, clock_timestamp() AS claimed_at;

-- next_due --
-- Seconds until time alone makes a difference; null where only an event can
SELECT extract(epoch FROM min(due) - clock_timestamp())::float8
FROM (
    SELECT min(ready_at) AS due FROM requests
    WHERE to_do AND ready_at > transaction_timestamp()
    UNION ALL
    SELECT min(leased_until) FROM requests WHERE leased_until > transaction_timestamp()
    UNION ALL
    SELECT min(paused_until) FROM turns WHERE paused_until > transaction_timestamp()
) AS times;

-- extend --
-- Keep leases
WITH mine AS (
    SELECT tenant_id, import_id FROM requests
    JOIN unnest($1::text[], $2::text[], $3::uuid[]) AS asked (tenant_id, import_id, lease)
        USING (tenant_id, import_id)
    WHERE leased_by = lease
    ORDER BY status = 'ended', tenant_id, client_id, arrival
    FOR UPDATE OF requests
)
UPDATE requests SET leased_until = clock_timestamp() + $4::interval
FROM mine
WHERE requests.tenant_id = mine.tenant_id AND requests.import_id = mine.import_id
RETURNING requests.tenant_id, requests.import_id;

-- store_sets --
-- The first to store an import's set wins, with its events in order; the places of requests among these count from 1
WITH mine AS (
    SELECT tenant_id, import_id, last, place FROM requests
    JOIN unnest($1::text[], $2::text[], $3::uuid[], $4::bytea[]) WITH ORDINALITY
        AS asked (tenant_id, import_id, lease, last, place)
        USING (tenant_id, import_id)
    WHERE leased_by = lease AND status = 'queued'
    ORDER BY tenant_id, client_id, arrival
    FOR UPDATE OF requests
), stored AS (
    UPDATE requests SET status = 'stored', last_event = mine.last
    FROM mine
    WHERE requests.tenant_id = mine.tenant_id AND requests.import_id = mine.import_id
    RETURNING requests.tenant_id, requests.import_id, place
), added AS (
    INSERT INTO staged_events (tenant_id, import_id, ordinal, event)
    SELECT tenant_id, import_id, ordinal, event
    FROM unnest($5::integer[], $6::integer[], $7::bytea[]) AS events (place, ordinal, event)
    JOIN stored USING (place)
)
SELECT tenant_id, import_id FROM stored;

-- events --
-- The stored set in order
SELECT event FROM staged_events WHERE tenant_id = $1 AND import_id = $2 ORDER BY ordinal;

-- end --
-- Everything was acknowledged, and with it the repeats that were known by then are answered. The set is in the journal:
-- its personal data need not be here as well
WITH mine AS (
    SELECT tenant_id, import_id, answered FROM requests
    JOIN unnest($1::text[], $2::text[], $3::uuid[], $4::integer[]) AS asked (tenant_id, import_id, lease, answered)
        USING (tenant_id, import_id)
    WHERE leased_by = lease AND status IN ('stored', 'ended')
    ORDER BY status = 'ended', tenant_id, client_id, arrival
    FOR UPDATE OF requests
), forgotten AS (
    DELETE FROM staged_events USING mine
    WHERE staged_events.tenant_id = mine.tenant_id AND staged_events.import_id = mine.import_id
)
UPDATE requests SET
    status = 'ended', asked_again = asked_again - mine.answered, leased_by = NULL, leased_until = NULL
FROM mine
WHERE requests.tenant_id = mine.tenant_id AND requests.import_id = mine.import_id
RETURNING requests.tenant_id, requests.import_id, requests.client_id;

-- park --
-- Keep the announcement of a wait; it can be taken up at once, to be published
UPDATE requests
SET waits = waits + 1, resume_at = $4, trouble_since = $5, announcement = $6
WHERE tenant_id = $1 AND import_id = $2 AND leased_by = $3 AND status = 'queued';

-- announced --
-- The announcement was acknowledged: now the request waits
UPDATE requests SET announcement = NULL, ready_at = resume_at
WHERE tenant_id = $1 AND import_id = $2 AND leased_by = $3 AND announcement IS NOT NULL;

-- pause --
-- Start no read of the practice's before that time
INSERT INTO turns (tenant_id, paused_until) VALUES ($1, $2)
ON CONFLICT (tenant_id) DO UPDATE SET paused_until = greatest(turns.paused_until, excluded.paused_until);

-- give_back --
-- Let whoever comes next take the requests, each not before its pause is over
WITH mine AS (
    SELECT tenant_id, import_id, pause FROM requests
    JOIN unnest($1::text[], $2::text[], $3::uuid[], $4::interval[]) AS asked (tenant_id, import_id, lease, pause)
        USING (tenant_id, import_id)
    WHERE leased_by = lease
    ORDER BY status = 'ended', tenant_id, client_id, arrival
    FOR UPDATE OF requests
)
UPDATE requests
SET leased_by = NULL, leased_until = NULL, ready_at = greatest(ready_at, clock_timestamp() + mine.pause)
FROM mine
WHERE requests.tenant_id = mine.tenant_id AND requests.import_id = mine.import_id
RETURNING requests.tenant_id, requests.import_id;
