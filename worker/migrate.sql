-- lock --
-- Let one process at a time migrate this database; ends with the session
SELECT pg_advisory_lock(hashtextextended('muster migrations', 0));

-- table --
-- What was applied
CREATE TABLE IF NOT EXISTS public.migrations (
    number     integer     NOT NULL PRIMARY KEY,
    name       text        NOT NULL,
    checksum   text        NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
);

-- applied --
-- The checksums of what was applied
SELECT number, name, checksum FROM public.migrations ORDER BY number;

-- note --
-- Note that a migration was applied, in its own transaction
INSERT INTO public.migrations (number, name, checksum) VALUES ($1, $2, $3);
