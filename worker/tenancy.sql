-- for_tenant --
-- Show this transaction the rows of one tenant, and nobody else's
SELECT set_config('muster.tenant_id', $1, true);
