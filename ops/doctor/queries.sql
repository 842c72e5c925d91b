-- applied --
-- The migrations that the database has
SELECT number, name, checksum FROM public.migrations ORDER BY number;

-- clock --
-- The database's time
SELECT clock_timestamp();

-- imports --
-- How many imports wait for XPM and since when, and how many stand in the queue
SELECT
    count(*) FILTER (WHERE trouble_since IS NOT NULL) AS in_trouble,
    min(trouble_since) AS trouble_since,
    count(*) FILTER (WHERE status = 'queued' AND ready_at > clock_timestamp() AND trouble_since IS NULL) AS waiting,
    count(*) FILTER (WHERE status = 'queued') AS queued,
    count(*) FILTER (WHERE status = 'behind') AS behind
FROM importer.requests
WHERE status <> 'ended';

-- connections --
-- How many practices are connected, and of how many the journal does not know yet
SELECT count(*) AS connections, count(*) FILTER (WHERE NOT told) AS untold FROM importer.connections;
