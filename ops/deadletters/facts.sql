-- at_places --
-- What the records at these places of the journal came to
SELECT partition, "offset", tenant_id, event_id, event_type, result, reason, first_offset, at
FROM decisions
JOIN unnest($1::integer[], $2::bigint[]) AS asked (partition, "offset") USING (partition, "offset")
WHERE ordinal = 0;

-- claims --
-- Which records took effect under these ids
SELECT tenant_id, event_id, partition, "offset", result, reason, content, at
FROM decisions
JOIN unnest($1::text[], $2::text[]) AS asked (tenant_id, event_id) USING (tenant_id, event_id)
WHERE claims_id;

-- newer --
-- The last record that was applied, after each of these, to the same item, member, client or connection
WITH asked AS (
    SELECT *
    FROM unnest($1::integer[], $2::text[], $3::integer[], $4::bigint[], $5::timestamptz[], $6::text[], $7::text[], $8::text[])
        AS given (number, tenant_id, partition, since, at, kind, id, types)
), later AS MATERIALIZED (
    SELECT decisions.tenant_id, decisions.partition, "offset", decisions.at, event_type, item_id, member_id, client_id
    FROM decisions
    WHERE decisions.partition = ANY ($9::integer[]) AND "offset" > $10 AND decisions.at >= $11
        AND ordinal = 0 AND result = 'applied'
), found AS (
    SELECT number, later.partition, "offset" FROM asked JOIN later
        ON later.tenant_id = asked.tenant_id AND later.item_id = asked.id
    WHERE kind = 'item' AND "offset" > since AND later.at >= asked.at
    UNION ALL
    SELECT number, later.partition, "offset" FROM asked JOIN later
        ON later.tenant_id = asked.tenant_id AND later.member_id = asked.id
    WHERE kind = 'member' AND "offset" > since AND later.at >= asked.at
    UNION ALL
    SELECT number, later.partition, "offset" FROM asked JOIN later
        ON later.tenant_id = asked.tenant_id AND later.client_id = asked.id
    WHERE kind = 'client' AND "offset" > since AND later.at >= asked.at
        AND later.event_type = ANY (string_to_array(asked.types, ' '))
    UNION ALL
    SELECT number, later.partition, "offset" FROM asked JOIN later
        ON later.tenant_id = asked.tenant_id
    WHERE kind = 'tenant' AND "offset" > since AND later.at >= asked.at
        AND later.event_type = ANY (string_to_array(asked.types, ' '))
)
SELECT DISTINCT ON (number) number, found.partition, found."offset", later.event_type, later.at
FROM found JOIN later ON later.partition = found.partition AND later."offset" = found."offset"
ORDER BY number, found."offset" DESC;
