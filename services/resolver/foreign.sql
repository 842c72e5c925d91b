-- count_foreign --
-- How many of these ids exist in a tenant that is not the one that named them
SELECT count(*) FROM unnest($1::text[], $2::text[]) AS asked (tenant_id, id)
WHERE EXISTS (SELECT FROM items WHERE items.item_id = asked.id AND items.tenant_id <> asked.tenant_id)
    OR EXISTS (SELECT FROM members WHERE members.member_id = asked.id AND members.tenant_id <> asked.tenant_id)
    OR EXISTS (SELECT FROM clients WHERE clients.client_id = asked.id AND clients.tenant_id <> asked.tenant_id);
