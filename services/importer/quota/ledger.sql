-- clock --
-- The database's time, in seconds since 1970
SELECT extract(epoch FROM clock_timestamp())::float8;

-- known --
-- The budget of a practice, and how often it was changed
SELECT budget, changes FROM quotas WHERE xpm_tenant_id = $1;

-- open --
-- Begin to keep a budget, unless somebody else just has
INSERT INTO quotas (xpm_tenant_id, budget, changes) VALUES ($1, $2, 1) ON CONFLICT (xpm_tenant_id) DO NOTHING;

-- keep --
-- Keep the budget as it is now, unless somebody has changed it meanwhile
UPDATE quotas SET budget = $2, changes = changes + 1, changed_at = clock_timestamp()
WHERE xpm_tenant_id = $1 AND changes = $3;
