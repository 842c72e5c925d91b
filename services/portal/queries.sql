-- clients --
-- Clients by name, after the last one seen, with what waits under each; a search that is null lets everything pass
SELECT client.*, people.number AS people, waiting.number AS pending, latest.status AS import_status
FROM (
    SELECT client_id, xpm_client_id, account_email, details, provenance, lower(details->>'name') COLLATE "C" AS sort_name
    FROM resolver.clients
    WHERE tenant_id = $1
        AND ($2::text IS NULL OR strpos(lower(details->>'name'), lower($2)) > 0)
        AND ($3::text IS NULL OR (lower(details->>'name') COLLATE "C", client_id) > ($3 COLLATE "C", $4))
    ORDER BY lower(details->>'name') COLLATE "C", client_id
    LIMIT $5
) AS client
CROSS JOIN LATERAL (
    SELECT count(*) AS number
    FROM resolver.members
    WHERE tenant_id = $1 AND client_id = client.client_id AND NOT removed
) AS people
CROSS JOIN LATERAL (
    SELECT count(*) AS number
    FROM resolver.items
    WHERE tenant_id = $1 AND client_id = client.client_id AND state = 'pending'
) AS waiting
LEFT JOIN LATERAL (
    SELECT status
    FROM resolver.imports
    WHERE tenant_id = $1 AND client_id = client.client_id AND status IN ('fetching', 'ready_for_review', 'in_review')
    ORDER BY started_from DESC
    LIMIT 1
) AS latest ON true
ORDER BY client.sort_name, client.client_id;

-- some_clients --
-- Clients by their ids
SELECT client_id, xpm_client_id, account_email, details, provenance,
    (
        SELECT count(*)
        FROM resolver.members AS member
        WHERE member.tenant_id = $1 AND member.client_id = client.client_id AND NOT removed
    ) AS people,
    (
        SELECT count(*)
        FROM resolver.items AS item
        WHERE item.tenant_id = $1 AND item.client_id = client.client_id AND state = 'pending'
    ) AS pending,
    (
        SELECT status
        FROM resolver.imports AS import
        WHERE import.tenant_id = $1 AND import.client_id = client.client_id
            AND status IN ('fetching', 'ready_for_review', 'in_review')
        ORDER BY started_from DESC
        LIMIT 1
    ) AS import_status
FROM resolver.clients AS client
WHERE tenant_id = $1 AND client_id = ANY ($2::text[])
ORDER BY lower(details->>'name') COLLATE "C", client_id;

-- clients_of_xpm --
-- Which of these XPM clients are in the portal already
SELECT xpm_client_id, client_id FROM resolver.clients WHERE tenant_id = $1 AND xpm_client_id = ANY ($2::text[]);

-- members --
-- The people of a client, or one of them, with the decision that linked each and the relationships it has in XPM
SELECT member.member_id, member.client_id, member.co_owner, member.details, member.provenance, member.digest,
    link.xpm_party_id, item.state AS linked_as, item.decided_by, item.decided_at,
    (
        SELECT coalesce(json_agg(
            json_build_object('type', tie.relationship->>'type', 'in_xpm', tie.in_xpm) ORDER BY tie.relationship->>'type'
        ), '[]')
        FROM resolver.items AS tie
        WHERE tie.tenant_id = $1 AND tie.client_id = member.client_id AND tie.member_id = member.member_id
    ) AS relationships
FROM resolver.members AS member
LEFT JOIN resolver.links AS link ON link.tenant_id = $1 AND link.member_id = member.member_id
LEFT JOIN resolver.items AS item ON item.tenant_id = $1 AND item.item_id = link.item_id
WHERE member.tenant_id = $1 AND NOT member.removed
    AND ($2::text IS NULL OR member.client_id = $2)
    AND ($3::text IS NULL OR member.member_id = $3)
ORDER BY lower(member.details->>'name') COLLATE "C", member.member_id;

-- open_items --
-- The items of a client that wait for a decision, after the last one seen
SELECT item_id, client_id, xpm_party_id, state, reason, personal, relationship, archived, stub, details_as_of, digest,
    member_id, attached_by, decided_by, decided_at, ignored
FROM resolver.items
WHERE tenant_id = $1 AND client_id = $2 AND state = 'pending'
    AND ($3::text IS NULL OR (lower(personal->>'name') COLLATE "C", item_id) > ($3 COLLATE "C", $4))
ORDER BY lower(personal->>'name') COLLATE "C", item_id
LIMIT $5;

-- item --
-- One item, whatever became of it
SELECT item_id, client_id, xpm_party_id, state, reason, personal, relationship, archived, stub, details_as_of, digest,
    member_id, attached_by, decided_by, decided_at, ignored
FROM resolver.items
WHERE tenant_id = $1 AND item_id = $2;

-- some_items --
-- Items by their ids, whatever became of them
SELECT item_id, client_id, xpm_party_id, state, reason, personal, relationship, archived, stub, details_as_of, digest,
    member_id, attached_by, decided_by, decided_at, ignored
FROM resolver.items
WHERE tenant_id = $1 AND item_id = ANY ($2::text[]);

-- email_holder --
-- Who of the practice signs in with an e-mail: a co-owner, or where there is no member the client's own account
SELECT holder.client_id, holder.member_id, client.details->>'name' AS client_name, member.details->>'name' AS member_name
FROM resolver.co_owner_emails AS holder
LEFT JOIN resolver.clients AS client ON client.tenant_id = $1 AND client.client_id = holder.client_id
LEFT JOIN resolver.members AS member ON member.tenant_id = $1 AND member.member_id = holder.member_id
WHERE holder.tenant_id = $1 AND holder.email = lower($2);

-- outcomes --
-- What the records under these ids came to, as published
SELECT event_id, outcome
FROM resolver.decisions
WHERE tenant_id = $1 AND event_id = ANY ($2::text[]) AND claims_id;

-- claims --
-- Under which of these ids a command of the tenant took effect, or was refused, and the digest of what it said
SELECT event_id, content FROM resolver.decisions WHERE tenant_id = $1 AND event_id = ANY ($2::text[]) AND claims_id;

-- changes --
-- The latest records that changed people or details of a client, with what each came to
SELECT at, event_type, decided_by, outcome
FROM resolver.decisions
WHERE tenant_id = $1 AND client_id = $2 AND before IS NOT NULL AND ordinal = 0
ORDER BY partition DESC, "offset" DESC
LIMIT $3;

-- item_states --
-- How many items of a client are in which state
SELECT state, count(*) AS number FROM resolver.items WHERE tenant_id = $1 AND client_id = $2 GROUP BY state;
