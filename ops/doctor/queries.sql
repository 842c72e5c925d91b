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
-- How many practices are connected, how many have to connect again, and how many changes the journal does not know yet
SELECT
    count(*) FILTER (WHERE state = 'connected') + (SELECT count(*) FROM importer.given_connections) AS connections,
    count(*) FILTER (WHERE state = 'reconnect_required') AS lost,
    (SELECT count(*) FROM importer.connection_facts) AS untold,
    count(*) FILTER (WHERE refresh_at < clock_timestamp() - interval '45 days') AS unused
FROM importer.connections;
