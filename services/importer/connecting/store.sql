-- connection --
-- A tenant's connection
SELECT tenant_id, state, connection_id, xpm_tenant_id, practice_name, tokens, changed_at,
    coalesce(refresh_at <= clock_timestamp(), false) AS to_renew,
    greatest(extract(epoch FROM refresh_at - clock_timestamp()), 0)::float8 AS good_for
FROM connections WHERE tenant_id = $1;

-- connection_alone --
-- The same, with nobody else changing it until the end of the transaction
SELECT tenant_id, state, connection_id, xpm_tenant_id, practice_name, tokens, changed_at,
    coalesce(refresh_at <= clock_timestamp(), false) AS to_renew,
    greatest(extract(epoch FROM refresh_at - clock_timestamp()), 0)::float8 AS good_for
FROM connections WHERE tenant_id = $1
FOR UPDATE;

-- renew --
-- Keep the next token set
UPDATE connections SET tokens = $2, refresh_at = clock_timestamp() + $3::interval WHERE tenant_id = $1;

-- connect --
-- The practice is connected with these tokens
INSERT INTO connections (tenant_id, state, connection_id, xpm_tenant_id, practice_name, tokens, refresh_at)
VALUES ($1, 'connected', $2, $3, $4, $5, clock_timestamp() + $6::interval)
ON CONFLICT (tenant_id) DO UPDATE SET
    state = 'connected',
    connection_id = excluded.connection_id,
    xpm_tenant_id = excluded.xpm_tenant_id,
    practice_name = excluded.practice_name,
    tokens = excluded.tokens,
    refresh_at = excluded.refresh_at,
    changed_at = excluded.changed_at
RETURNING tenant_id, state, connection_id, practice_name, changed_at;

-- lose --
-- The tokens are worth nothing any more, or are not wanted any more, and what was kept by them goes too
WITH erased AS (DELETE FROM mirrors WHERE tenant_id = $1)
UPDATE connections SET state = $2, tokens = NULL, refresh_at = NULL, changed_at = clock_timestamp()
WHERE tenant_id = $1 AND state <> $2
RETURNING tenant_id, state, connection_id, practice_name, changed_at;

-- reserve_practice --
-- Let no two tenants connect one practice at once; until the end of the transaction
SELECT pg_advisory_xact_lock(hashtextextended('importer.practice ' || $1, 0));

-- connected_elsewhere --
-- Which of these practices other tenants are connected to
SELECT DISTINCT xpm_tenant_id FROM connections
WHERE xpm_tenant_id = ANY ($2::text[]) AND tenant_id <> $1 AND state = 'connected';

-- connected_anywhere --
-- Whether any tenant is connected to one of these practices
SELECT EXISTS (SELECT FROM connections WHERE xpm_tenant_id = ANY ($1::text[]) AND state = 'connected');

-- tell --
-- Keep a fact until it is acknowledged
INSERT INTO connection_facts (tenant_id, event) VALUES ($1, $2);

-- untold --
-- The facts that the journal may not know of yet, in order
SELECT tenant_id, ordinal, event FROM connection_facts ORDER BY tenant_id, ordinal LIMIT $1;

-- told --
-- These are acknowledged
DELETE FROM connection_facts
USING unnest($1::text[], $2::bigint[]) AS published (tenant_id, ordinal)
WHERE connection_facts.tenant_id = published.tenant_id AND connection_facts.ordinal = published.ordinal;

-- begin --
-- Keep an attempt to connect, and forget those that nobody came back from
WITH over AS (DELETE FROM authorizations WHERE expires_at < clock_timestamp() - interval '1 day')
INSERT INTO authorizations (tenant_id, state_digest, proof_digest, verifier, return_url, requested_by, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, clock_timestamp() + $7::interval);

-- begun --
-- The attempt of a browser that comes back from Xero, as long as none has come back for it
SELECT tenant_id, return_url, expires_at <= clock_timestamp() AS expired
FROM authorizations WHERE state_digest = $1 AND ticket_digest IS NULL
FOR UPDATE;

-- give_up --
-- It came to nothing
DELETE FROM authorizations WHERE state_digest = $1;

-- come_back --
-- Keep what it takes to complete the attempt, for the bearer of a ticket
UPDATE authorizations SET ticket_digest = $2, code = $3 WHERE state_digest = $1;

-- complete --
-- Take an attempt up, once
DELETE FROM authorizations WHERE ticket_digest = $1
RETURNING tenant_id, proof_digest, verifier, code, requested_by, expires_at <= clock_timestamp() AS expired;

-- offer --
-- Several practices: one of them is to be chosen
INSERT INTO choices (tenant_id, tokens, refresh_at, practices)
VALUES ($1, $2, clock_timestamp() + $3::interval, $4)
ON CONFLICT (tenant_id) DO UPDATE SET
    tokens = excluded.tokens, refresh_at = excluded.refresh_at, practices = excluded.practices, made_at = excluded.made_at;

-- choice --
-- What a tenant may choose from; not for longer than a day
SELECT practices FROM choices WHERE tenant_id = $1 AND made_at > clock_timestamp() - interval '1 day';

-- choice_alone --
-- The same with its tokens, with nobody else choosing until the end of the transaction
SELECT tokens, practices, refresh_at - clock_timestamp() AS good_for FROM choices
WHERE tenant_id = $1 AND made_at > clock_timestamp() - interval '1 day'
FOR UPDATE;

-- end_choice --
-- It was chosen, or is not wanted any more
DELETE FROM choices WHERE tenant_id = $1 RETURNING tokens;

-- end_old_choices --
-- Nobody chose in time: the tokens are to be revoked
WITH over AS (DELETE FROM choices WHERE made_at < clock_timestamp() - interval '1 day' RETURNING tenant_id, tokens)
INSERT INTO revocations (tenant_id, tokens) SELECT tenant_id, tokens FROM over;

-- revoke --
-- Have a connection taken away and tokens revoked at Xero
INSERT INTO revocations (tenant_id, connection_id, tokens) VALUES ($1, $2, $3);

-- due_revocation --
-- Take the next one in hand; whoever has it is given this long before others try
UPDATE revocations SET attempts = attempts + 1, due_at = clock_timestamp() + least(power(2, attempts), 60) * interval '1 minute'
WHERE (tenant_id, ordinal) = (
    SELECT tenant_id, ordinal FROM revocations
    WHERE due_at <= clock_timestamp() AND ($1::text IS NULL OR tenant_id = $1)
    ORDER BY due_at LIMIT 1
    FOR UPDATE SKIP LOCKED
)
RETURNING tenant_id, ordinal, connection_id, tokens, asked_at < clock_timestamp() - interval '60 days' AS too_old;

-- renew_revocation --
-- Keep the next token set of one
UPDATE revocations SET tokens = $3 WHERE tenant_id = $1 AND ordinal = $2;

-- end_revocation --
-- It is done, and its tokens are forgotten
DELETE FROM revocations WHERE tenant_id = $1 AND ordinal = $2;

-- note_given --
-- Note which connections the environment gives; returned is what changed
INSERT INTO given_connections (tenant_id, connection_id, practice_name)
SELECT tenant_id, connection_id, practice_name
FROM unnest($1::text[], $2::text[], $3::text[]) AS configured (tenant_id, connection_id, practice_name)
ORDER BY tenant_id
ON CONFLICT (tenant_id) DO UPDATE SET
    connection_id = excluded.connection_id,
    practice_name = excluded.practice_name,
    changes = given_connections.changes + 1,
    changed_at = excluded.changed_at
WHERE (given_connections.connection_id, given_connections.practice_name)
    IS DISTINCT FROM (excluded.connection_id, excluded.practice_name)
RETURNING tenant_id, connection_id, practice_name, changes, changed_at;

-- sealed_connections --
-- Token sets, encrypted
SELECT tenant_id, tokens FROM connections WHERE tokens IS NOT NULL;

-- reseal_connections --
-- The same token sets, encrypted anew
UPDATE connections SET tokens = resealed.after
FROM unnest($1::text[], $2::bytea[], $3::bytea[]) AS resealed (tenant_id, before, after)
WHERE connections.tenant_id = resealed.tenant_id AND connections.tokens = resealed.before;

-- sealed_choices --
-- Token sets, encrypted
SELECT tenant_id, tokens FROM choices WHERE tokens IS NOT NULL;

-- reseal_choices --
-- The same token sets, encrypted anew
UPDATE choices SET tokens = resealed.after
FROM unnest($1::text[], $2::bytea[], $3::bytea[]) AS resealed (tenant_id, before, after)
WHERE choices.tenant_id = resealed.tenant_id AND choices.tokens = resealed.before;

-- sealed_revocations --
-- Token sets, encrypted
SELECT tenant_id, tokens FROM revocations WHERE tokens IS NOT NULL;

-- reseal_revocations --
-- The same token sets, encrypted anew
UPDATE revocations SET tokens = resealed.after
FROM unnest($1::text[], $2::bytea[], $3::bytea[]) AS resealed (tenant_id, before, after)
WHERE revocations.tenant_id = resealed.tenant_id AND revocations.tokens = resealed.before;
