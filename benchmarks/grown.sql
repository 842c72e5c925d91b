-- settings --
-- For this session, so that a fill takes minutes rather than an hour; what is stored is the same
SET maintenance_work_mem = '1GB'; SET synchronous_commit = off;

-- secondary_indexes --
-- Every index of the tables that are filled, with the statements that drop it and make it again
SELECT
    CASE WHEN conname IS NULL THEN format('DROP INDEX %s', indexrelid::regclass)
        ELSE format('ALTER TABLE %s DROP CONSTRAINT %I', indrelid::regclass, conname) END AS dropping,
    CASE WHEN conname IS NULL THEN pg_get_indexdef(indexrelid)
        ELSE format('ALTER TABLE %s ADD CONSTRAINT %I %s', indrelid::regclass, conname, pg_get_constraintdef(pg_constraint.oid))
        END AS making
FROM pg_index LEFT JOIN pg_constraint ON conindid = indexrelid AND contype IN ('p', 'u')
WHERE indrelid IN ('clients'::regclass, 'imports'::regclass, 'items'::regclass, 'decisions'::regclass);

-- fill_clients --
-- Linked clients, as after an import each
INSERT INTO clients (tenant_id, client_id, xpm_client_id, details, provenance, details_from, staged_from)
SELECT 'tenant-' || client % $2::integer, md5('client ' || client)::uuid::text, 'xpm-of-' || client,
    jsonb_build_object('name', 'Client ' || client || ' Pty Ltd'),
    '{"name": {"by": "portal"}}', -2, -2
FROM generate_series(0, $1::integer - 1) AS client;

-- fill_imports --
-- One import of each client, with its list
INSERT INTO imports (tenant_id, import_id, client_id, requested_by, requested_at, started_from, status, reviewed,
    item_ids, unstaged, counts)
SELECT 'tenant-' || client % $2::integer, md5('import ' || client)::uuid::text, md5('client ' || client)::uuid::text,
    'bench', '2026-01-01Z', -2, 'ready_for_review', false,
    (SELECT jsonb_agg(id ORDER BY id COLLATE "C") FROM (
        SELECT md5('item ' || item)::uuid::text AS id
        FROM generate_series(client * $3::integer, (client + 1) * $3::integer - 1) AS item
    ) AS listed),
    0,
    jsonb_build_object('staged', $3::integer, 'pending', $3::integer, 'imported', 0, 'linked', 0, 'ignored', 0,
        'attached', 0, 'withdrawn', 0, 'left_out', 0, 'rejected', 0, 'replaced_fields', 0)
FROM generate_series(0, $1::integer - 1) AS client;

-- fill_items --
-- The pending items of each client
INSERT INTO items (tenant_id, item_id, client_id, xpm_party_id, import_id, staged_from, state, personal, relationship,
    archived, stub, in_xpm, digest)
SELECT 'tenant-' || client % $2::integer, md5('item ' || item)::uuid::text, md5('client ' || client)::uuid::text,
    md5('party ' || item)::uuid::text, md5('import ' || client)::uuid::text, -2, 'pending', $4::text::jsonb,
    $5::text::jsonb, false, false, true, $6
FROM generate_series(0, $1::integer - 1) AS client
CROSS JOIN LATERAL generate_series(client * $3::integer, (client + 1) * $3::integer - 1) AS item;

-- fill_decisions --
-- What each staging came to: at offsets that no record has, with a claimed id, and an outcome that nobody reads here
INSERT INTO decisions (tenant_id, partition, "offset", ordinal, at, result, claims_id, event_id, event_type, content,
    client_id, import_id, item_id, outcome)
SELECT 'tenant-' || client % $2::integer, item % 24, -10 - item, 0, '2026-01-01Z', 'applied', true,
    md5('event ' || item)::uuid::text, 'muster.item.staged.v1', decode(md5('event ' || item), 'hex'),
    md5('client ' || client)::uuid::text, md5('import ' || client)::uuid::text, md5('item ' || item)::uuid::text, '{}'
FROM generate_series(0, $1::integer - 1) AS client
CROSS JOIN LATERAL generate_series(client * $3::integer, (client + 1) * $3::integer - 1) AS item;

-- size --
-- What there is
SELECT
    (SELECT reltuples::bigint FROM pg_class WHERE oid = 'items'::regclass) AS items,
    (SELECT sum(pg_total_relation_size(oid))::bigint FROM pg_class
        WHERE relnamespace = 'resolver_g1'::regnamespace AND relkind = 'r') AS bytes;
