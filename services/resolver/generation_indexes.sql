-- members --
-- The indexes of one generation beside its keys, table by table; a replay makes them when the journal is folded
CREATE INDEX IF NOT EXISTS members_of_client ON members (tenant_id, client_id);

-- items --
-- Of items
CREATE INDEX IF NOT EXISTS items_of_client ON items (tenant_id, client_id);

-- imports --
-- Of imports
CREATE INDEX IF NOT EXISTS open_imports_of_client ON imports (tenant_id, client_id)
    WHERE status IN ('fetching', 'ready_for_review', 'in_review');

-- decisions --
-- Of decisions
CREATE UNIQUE INDEX IF NOT EXISTS decisions_claim_ids ON decisions (tenant_id, event_id) WHERE claims_id;
CREATE INDEX IF NOT EXISTS decisions_that_replaced ON decisions (tenant_id, client_id, partition, "offset")
    WHERE before IS NOT NULL AND ordinal = 0;
