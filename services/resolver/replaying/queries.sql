-- clients_of_tenants --
-- Everything that is stored of these tenants, table by table
SELECT tenant_id, client_id, xpm_client_id, account_email, details, provenance, details_from, staged_from
FROM clients WHERE tenant_id = ANY ($1::text[]);

-- members_of_tenants --
-- Their members
SELECT tenant_id, member_id, client_id, co_owner, removed, details, provenance
FROM members WHERE tenant_id = ANY ($1::text[]);

-- links_of_tenants --
-- Their links
SELECT tenant_id, client_id, xpm_party_id, member_id, item_id, details_from
FROM links WHERE tenant_id = ANY ($1::text[]);

-- items_of_tenants --
-- Their items
SELECT tenant_id, item_id, client_id, xpm_party_id, import_id, staged_from, state, reason, personal, relationship,
    archived, stub, details_as_of, in_xpm, digest, member_id, attached_by, decided_by, decided_at, ignored
FROM items WHERE tenant_id = ANY ($1::text[]);

-- imports_of_tenants --
-- Their imports
SELECT tenant_id, import_id, client_id, bulk_id, requested_by, requested_at, started_from, status, waiting_until,
    waiting_why, reason, message, reviewed, item_ids, unstaged, counts
FROM imports WHERE tenant_id = ANY ($1::text[]);

-- holders_of_tenants --
-- Their co-owner e-mails
SELECT tenant_id, email, client_id, member_id FROM co_owner_emails WHERE tenant_id = ANY ($1::text[]);

-- claims_of_tenants --
-- The ids that their records have claimed
SELECT tenant_id, event_id, "offset", content FROM decisions WHERE tenant_id = ANY ($1::text[]) AND claims_id;

-- index_alone --
-- Let one process at a time make indexes; ends with the transaction
SELECT pg_advisory_xact_lock(hashtextextended('muster replay indexes', 0));

-- positions --
-- How far a generation's tables contain the journal
SELECT partition, applied_to, published_to, cluster_id FROM positions WHERE "group" = 'resolver';
