-- tenants_of --
-- In which tenants something has this id
SELECT DISTINCT tenant_id FROM decisions
WHERE $1 IN (tenant_id, event_id, client_id, import_id, item_id, member_id)
UNION
SELECT tenant_id FROM members WHERE member_id = $1
ORDER BY tenant_id
LIMIT 10;

-- kinds --
-- As what a tenant knows an id
SELECT bool_or(event_id = $3) AS event, bool_or(client_id = $3) AS client, bool_or(import_id = $3) AS import,
    bool_or(item_id = $3) AS item,
    bool_or(member_id = $3) OR EXISTS (SELECT FROM members WHERE tenant_id = $2 AND member_id = $3) AS member
FROM decisions
WHERE partition = $1 AND tenant_id = $2;

-- entries --
-- The last records that are about an id, in their order, and how many there are; of an import also the decisions on its items, of a member all about its items
WITH items_of AS MATERIALIZED (
    SELECT item_id, min(since) AS since, bool_or(of_member) AS of_member
    FROM (
        SELECT item_id, 0 AS since, true AS of_member FROM items WHERE tenant_id = $2 AND member_id = $3
        UNION ALL
        SELECT item_id, "offset", false FROM decisions
        WHERE partition = $1 AND tenant_id = $2 AND import_id = $3 AND item_id IS NOT NULL
    ) AS of_member_or_import
    GROUP BY item_id
), about AS (
    SELECT "offset", count(*) OVER () AS total
    FROM decisions
    LEFT JOIN items_of ON items_of.item_id = decisions.item_id AND items_of.since <= decisions."offset"
        AND (decisions.import_id IS NULL OR items_of.of_member)
    WHERE partition = $1 AND tenant_id = $2 AND ordinal = 0
        AND ($3::text IS NULL OR $3 IN (event_id, client_id, import_id, decisions.item_id, member_id) OR items_of.item_id IS NOT NULL)
    ORDER BY "offset" DESC
    LIMIT $4
)
SELECT partition, decisions."offset", min(at) AS at, min(result) AS result, min(reason) AS reason,
    min(event_id) AS event_id, min(event_type) AS event_type, min(decided_by) AS decided_by,
    min(client_id) AS client_id, min(import_id) AS import_id, min(item_id) AS item_id, min(member_id) AS member_id,
    min(first_offset) AS first_offset,
    array_agg(outcome ORDER BY ordinal) FILTER (WHERE outcome IS NOT NULL) AS outcomes, min(total) AS total
FROM decisions JOIN about USING ("offset")
WHERE partition = $1 AND tenant_id = $2
GROUP BY partition, decisions."offset"
ORDER BY decisions."offset";

-- request --
-- An import as the importer knows it
SELECT import_id, client_id, xpm_client_id, requested_by, requested_at, status, waits, ready_at, trouble_since
FROM importer.requests
WHERE tenant_id = $1 AND import_id = $2;
