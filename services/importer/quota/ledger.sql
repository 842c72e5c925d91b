-- clock --
-- The database's time, in seconds since 1970
SELECT extract(epoch FROM clock_timestamp())::float8;

-- lock --
-- The budget of a practice, kept from all others until the end of the transaction
SELECT budget FROM quotas WHERE xpm_tenant_id = $1 FOR UPDATE;

-- open --
-- Begin to keep a budget
INSERT INTO quotas (xpm_tenant_id, budget) VALUES ($1, $2) ON CONFLICT (xpm_tenant_id) DO NOTHING;

-- keep --
-- Keep the budget as it is now
UPDATE quotas SET budget = $2, changed_at = clock_timestamp() WHERE xpm_tenant_id = $1;

-- forget --
-- Practices that nobody has asked about for so long have begun new windows since
DELETE FROM quotas WHERE changed_at < clock_timestamp() - $1::interval;
