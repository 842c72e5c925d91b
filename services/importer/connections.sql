-- note --
-- Note which connection each tenant has; what changed is to be told
INSERT INTO connections (tenant_id, connection_id, practice_name)
SELECT tenant_id, connection_id, practice_name
FROM unnest($1::text[], $2::text[], $3::text[]) AS configured (tenant_id, connection_id, practice_name)
ORDER BY tenant_id
ON CONFLICT (tenant_id) DO UPDATE SET
    connection_id = excluded.connection_id,
    practice_name = excluded.practice_name,
    changes = connections.changes + 1,
    changed_at = excluded.changed_at,
    told = false
WHERE (connections.connection_id, connections.practice_name)
    IS DISTINCT FROM (excluded.connection_id, excluded.practice_name);

-- untold --
-- The connections that the journal does not know of yet
SELECT tenant_id, connection_id, practice_name, changes, changed_at FROM connections WHERE NOT told ORDER BY tenant_id;

-- told --
-- These are in the journal, unless they have changed again
UPDATE connections SET told = true
FROM unnest($1::text[], $2::integer[]) AS published (tenant_id, changes)
WHERE connections.tenant_id = published.tenant_id AND connections.changes = published.changes;
