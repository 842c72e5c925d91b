-- load --
-- All that is loaded in the statements below, at once, for a small batch: each table's rows in an array; and what is live
WITH touched AS MATERIALIZED (
    SELECT tenant_id, client_id FROM unnest($3::text[], $4::text[]) AS named (tenant_id, client_id)
    UNION
    SELECT tenant_id, client_id
    FROM clients
    JOIN unnest($5::text[], $6::text[]) AS named (tenant_id, xpm_client_id) USING (tenant_id, xpm_client_id)
    UNION
    SELECT tenant_id, client_id
    FROM members JOIN unnest($7::text[], $8::text[]) AS named (tenant_id, member_id) USING (tenant_id, member_id)
    UNION
    SELECT tenant_id, client_id
    FROM items JOIN unnest($9::text[], $10::text[]) AS named (tenant_id, item_id) USING (tenant_id, item_id)
    UNION
    SELECT tenant_id, client_id
    FROM imports JOIN unnest($11::text[], $12::text[]) AS named (tenant_id, import_id) USING (tenant_id, import_id)
)
SELECT
    ARRAY(
        SELECT ROW(tenant_id, event_id, "offset", content)
        FROM decisions JOIN unnest($1::text[], $2::text[]) AS asked (tenant_id, event_id) USING (tenant_id, event_id)
        WHERE claims_id
    ) AS claims,
    ARRAY(
        SELECT ROW(tenant_id, client_id, xpm_client_id, account_email, details, provenance, details_from, staged_from)
        FROM clients JOIN touched USING (tenant_id, client_id)
    ) AS clients,
    ARRAY(
        SELECT ROW(tenant_id, member_id, client_id, co_owner, removed, details, provenance)
        FROM members JOIN touched USING (tenant_id, client_id)
    ) AS members,
    ARRAY(
        SELECT ROW(tenant_id, client_id, xpm_party_id, member_id, item_id, details_from)
        FROM links JOIN touched USING (tenant_id, client_id)
    ) AS links,
    ARRAY(
        SELECT ROW(tenant_id, item_id, client_id, xpm_party_id, import_id, staged_from, state, reason, personal,
            relationship, archived, stub, details_as_of, in_xpm, digest, member_id, attached_by, decided_by,
            decided_at, ignored)
        FROM items JOIN touched USING (tenant_id, client_id)
    ) AS items,
    ARRAY(
        SELECT ROW(tenant_id, import_id, client_id, bulk_id, requested_by, requested_at, started_from, status,
            waiting_until, waiting_why, reason, message, reviewed, item_ids, unstaged, counts)
        FROM imports JOIN (
            SELECT tenant_id, import_id FROM imports JOIN touched USING (tenant_id, client_id)
            WHERE status IN ('fetching', 'ready_for_review', 'in_review')
            UNION
            SELECT tenant_id, import_id FROM unnest($11::text[], $12::text[]) AS named (tenant_id, import_id)
        ) AS wanted USING (tenant_id, import_id)
    ) AS imports,
    ARRAY(
        SELECT ROW(tenant_id, email, client_id, member_id)
        FROM co_owner_emails JOIN unnest($13::text[], $14::text[]) AS asked (tenant_id, email) USING (tenant_id, email)
    ) AS holders,
    (SELECT ROW(number, rules, swap) FROM resolver.generations WHERE live) AS live;

-- claims --
-- The ids of this batch that a record claimed before
SELECT tenant_id, event_id, "offset", content
FROM decisions
JOIN unnest($1::text[], $2::text[]) AS asked (tenant_id, event_id) USING (tenant_id, event_id)
WHERE claims_id;

-- touched_clients --
-- The clients that a batch names, itself or by an item, member, import or XPM client
SELECT tenant_id, client_id FROM unnest($1::text[], $2::text[]) AS named (tenant_id, client_id)
UNION
SELECT tenant_id, client_id
FROM clients JOIN unnest($3::text[], $4::text[]) AS named (tenant_id, xpm_client_id) USING (tenant_id, xpm_client_id)
UNION
SELECT tenant_id, client_id
FROM members JOIN unnest($5::text[], $6::text[]) AS named (tenant_id, member_id) USING (tenant_id, member_id)
UNION
SELECT tenant_id, client_id
FROM items JOIN unnest($7::text[], $8::text[]) AS named (tenant_id, item_id) USING (tenant_id, item_id)
UNION
SELECT tenant_id, client_id
FROM imports JOIN unnest($9::text[], $10::text[]) AS named (tenant_id, import_id) USING (tenant_id, import_id);

-- load_clients --
-- The touched clients
SELECT tenant_id, client_id, xpm_client_id, account_email, details, provenance, details_from, staged_from
FROM clients JOIN unnest($1::text[], $2::text[]) AS touched (tenant_id, client_id) USING (tenant_id, client_id);

-- load_members --
-- The members of the touched clients
SELECT tenant_id, member_id, client_id, co_owner, removed, details, provenance
FROM members JOIN unnest($1::text[], $2::text[]) AS touched (tenant_id, client_id) USING (tenant_id, client_id);

-- load_links --
-- The links of the touched clients
SELECT tenant_id, client_id, xpm_party_id, member_id, item_id, details_from
FROM links JOIN unnest($1::text[], $2::text[]) AS touched (tenant_id, client_id) USING (tenant_id, client_id);

-- load_items --
-- The items of the touched clients
SELECT tenant_id, item_id, client_id, xpm_party_id, import_id, staged_from, state, reason, personal, relationship,
    archived, stub, details_as_of, in_xpm, digest, member_id, attached_by, decided_by, decided_at, ignored
FROM items JOIN unnest($1::text[], $2::text[]) AS touched (tenant_id, client_id) USING (tenant_id, client_id);

-- load_imports --
-- The open imports of the touched clients, and whichever import the batch names
SELECT tenant_id, import_id, client_id, bulk_id, requested_by, requested_at, started_from, status, waiting_until,
    waiting_why, reason, message, reviewed, item_ids, unstaged, counts
FROM imports JOIN unnest($1::text[], $2::text[]) AS touched (tenant_id, client_id) USING (tenant_id, client_id)
WHERE status IN ('fetching', 'ready_for_review', 'in_review')
UNION
SELECT tenant_id, import_id, client_id, bulk_id, requested_by, requested_at, started_from, status, waiting_until,
    waiting_why, reason, message, reviewed, item_ids, unstaged, counts
FROM imports JOIN unnest($3::text[], $4::text[]) AS named (tenant_id, import_id) USING (tenant_id, import_id);

-- load_holders --
-- Who holds these co-owner e-mails
SELECT tenant_id, email, client_id, member_id
FROM co_owner_emails JOIN unnest($1::text[], $2::text[]) AS asked (tenant_id, email) USING (tenant_id, email);

-- put_clients --
-- Store clients as they are now
INSERT INTO clients AS stored
    (tenant_id, client_id, xpm_client_id, account_email, details, provenance, details_from, staged_from)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[]::jsonb[], $6::text[]::jsonb[],
    $7::bigint[], $8::bigint[])
ON CONFLICT (tenant_id, client_id) DO UPDATE SET
    xpm_client_id = excluded.xpm_client_id, account_email = excluded.account_email, details = excluded.details,
    provenance = excluded.provenance, details_from = excluded.details_from, staged_from = excluded.staged_from;

-- put_members --
-- Store members as they are now
INSERT INTO members AS stored
    (tenant_id, member_id, client_id, co_owner, removed, details, provenance, digest)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::boolean[], $5::boolean[], $6::text[]::jsonb[],
    $7::text[]::jsonb[], $8::text[])
ON CONFLICT (tenant_id, member_id) DO UPDATE SET
    co_owner = excluded.co_owner, removed = excluded.removed, details = excluded.details,
    provenance = excluded.provenance, digest = excluded.digest;

-- drop_links --
-- Take away links that ended
DELETE FROM links USING unnest($1::text[], $2::text[], $3::text[]) AS ended (tenant_id, client_id, xpm_party_id)
WHERE links.tenant_id = ended.tenant_id AND links.client_id = ended.client_id
    AND links.xpm_party_id = ended.xpm_party_id;

-- put_links --
-- Store links as they are now
INSERT INTO links AS stored (tenant_id, client_id, xpm_party_id, member_id, item_id, details_from)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[])
ON CONFLICT (tenant_id, client_id, xpm_party_id) DO UPDATE SET
    member_id = excluded.member_id, item_id = excluded.item_id, details_from = excluded.details_from;

-- put_items --
-- Store items as they are now
INSERT INTO items AS stored
    (tenant_id, item_id, client_id, xpm_party_id, import_id, staged_from, personal, relationship, archived, stub,
    details_as_of, digest, state, reason, in_xpm, member_id, attached_by, decided_by, decided_at, ignored)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::text[]::jsonb[],
    $8::text[]::jsonb[], $9::boolean[], $10::boolean[], $11::timestamptz[], $12::text[], $13::text[], $14::text[],
    $15::boolean[], $16::text[], $17::text[], $18::text[], $19::timestamptz[], $20::text[]::jsonb[])
ON CONFLICT (tenant_id, item_id) DO UPDATE SET
    xpm_party_id = excluded.xpm_party_id, import_id = excluded.import_id, staged_from = excluded.staged_from,
    state = excluded.state, reason = excluded.reason, personal = excluded.personal,
    relationship = excluded.relationship, archived = excluded.archived, stub = excluded.stub,
    details_as_of = excluded.details_as_of, in_xpm = excluded.in_xpm, digest = excluded.digest,
    member_id = excluded.member_id, attached_by = excluded.attached_by, decided_by = excluded.decided_by,
    decided_at = excluded.decided_at, ignored = excluded.ignored;

-- put_imports --
-- Store imports as they are now
INSERT INTO imports AS stored
    (tenant_id, import_id, client_id, requested_by, requested_at, started_from, bulk_id, status, waiting_until,
    waiting_why, reason, message, reviewed, item_ids, unstaged, counts)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::bigint[], $7::text[],
    $8::text[], $9::timestamptz[], $10::text[], $11::text[], $12::text[], $13::boolean[], $14::text[]::jsonb[],
    $15::integer[], $16::text[]::jsonb[])
ON CONFLICT (tenant_id, import_id) DO UPDATE SET
    status = excluded.status, waiting_until = excluded.waiting_until, waiting_why = excluded.waiting_why,
    reason = excluded.reason, message = excluded.message, reviewed = excluded.reviewed,
    item_ids = excluded.item_ids, unstaged = excluded.unstaged, counts = excluded.counts;

-- drop_holders --
-- Free co-owner e-mails
DELETE FROM co_owner_emails USING unnest($1::text[], $2::text[]) AS freed (tenant_id, email)
WHERE co_owner_emails.tenant_id = freed.tenant_id AND co_owner_emails.email = freed.email;

-- put_holders --
-- Store who holds co-owner e-mails now
INSERT INTO co_owner_emails AS stored (tenant_id, email, client_id, member_id)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[])
ON CONFLICT (tenant_id, email) DO UPDATE SET client_id = excluded.client_id, member_id = excluded.member_id;

-- put_decisions --
-- Add what records came to
INSERT INTO decisions (
    tenant_id, partition, "offset", ordinal, at, result, reason, claims_id, event_id, event_type, content, decided_by,
    client_id, import_id, item_id, member_id, first_offset, before, outcome
)
SELECT * FROM unnest($1::text[], $2::integer[], $3::bigint[], $4::integer[], $5::timestamptz[], $6::text[], $7::text[],
    $8::boolean[], $9::text[], $10::text[], $11::bytea[], $12::text[], $13::text[], $14::text[], $15::text[],
    $16::text[], $17::bigint[], $18::text[]::jsonb[], $19::text[]);

-- outcomes --
-- What was published of a span of records, in order; a repeat is answered by the first record's outcome
SELECT decided.tenant_id, answer.outcome
FROM decisions AS decided
JOIN decisions AS answer
    ON answer.partition = decided.partition
    AND answer.tenant_id = decided.tenant_id
    AND answer."offset" = coalesce(decided.first_offset, decided."offset")
    AND (decided.first_offset IS NOT NULL OR answer.ordinal = decided.ordinal)
WHERE decided.partition = $1 AND decided."offset" >= $2 AND decided."offset" < $3 AND answer.outcome IS NOT NULL
ORDER BY decided."offset", answer.ordinal;
