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
-- Let no request of these clients end until this transaction does, or wait until it has
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
UPDATE requests SET asked_again = asked_again + 1
FROM unnest($1::text[], $2::text[]) AS asked (tenant_id, import_id)
WHERE requests.tenant_id = asked.tenant_id AND requests.import_id = asked.import_id AND requests.status IN ('stored', 'ended');

-- wake --
-- Tell every process that there is something to do
SELECT pg_notify('importer_requests', '');

-- take_turns --
-- Let one process claim at a time, so that what it counts is so; until the end of the transaction
SELECT pg_advisory_xact_lock(hashtextextended('importer.requests', 0));

-- claim --
-- Lease requests, at most one of each tenant: first of the tenants that have the fewest in hand and were served longest ago
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
    SELECT tenant_id, count(*) AS number FROM requests
    WHERE leased_until > statement_timestamp()
    GROUP BY tenant_id
), next AS (
    SELECT first.tenant_id, first.import_id
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
    WHERE coalesce(in_hand.number, 0) < $3
    ORDER BY coalesce(in_hand.number, 0), turns.served_at NULLS FIRST, first.arrival
    LIMIT $5
), free AS (
    SELECT tenant_id, import_id FROM requests JOIN next USING (tenant_id, import_id)
    FOR UPDATE OF requests SKIP LOCKED
), served AS (
    INSERT INTO turns (tenant_id, served_at)
    SELECT tenant_id, statement_timestamp() FROM free
    ON CONFLICT (tenant_id) DO UPDATE SET served_at = excluded.served_at
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
-- Keep a lease
UPDATE requests SET leased_until = clock_timestamp() + $4::interval
WHERE tenant_id = $1 AND import_id = $2 AND leased_by = $3;

-- store_set --
-- The first to store an import's set wins
UPDATE requests SET status = 'stored', last_event = $4
WHERE tenant_id = $1 AND import_id = $2 AND leased_by = $3 AND status = 'queued';

-- add_events --
-- Store the events of a set in order
INSERT INTO staged_events (tenant_id, import_id, ordinal, event)
SELECT $1, $2, ordinal - 1, event FROM unnest($3::bytea[]) WITH ORDINALITY AS stored (event, ordinal);

-- events --
-- The stored set in order
SELECT event FROM staged_events WHERE tenant_id = $1 AND import_id = $2 ORDER BY ordinal;

-- forget_events --
-- An acknowledged set is in the journal; its personal data need not be here as well
DELETE FROM staged_events WHERE tenant_id = $1 AND import_id = $2;

-- end --
-- Everything was acknowledged, and with it the repeats that were known by then are answered
UPDATE requests SET status = 'ended', asked_again = asked_again - $4
WHERE tenant_id = $1 AND import_id = $2 AND leased_by = $3 AND status IN ('stored', 'ended');

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
-- Let whoever comes next take the request, not before the pause is over
UPDATE requests
SET leased_by = NULL, leased_until = NULL, ready_at = greatest(ready_at, clock_timestamp() + $4::interval)
WHERE tenant_id = $1 AND import_id = $2 AND leased_by = $3;
