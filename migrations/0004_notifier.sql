-- The notifier's read model: integration progress of the past 72 hours, in a partition for each day of `requested_at`.

-- Locked, in order, before rows of the tenant are folded: rows that are not there yet can't be.
CREATE TABLE notifier.tenants (
    tenant_id text COLLATE "C" PRIMARY KEY
);

CREATE TABLE notifier.progress (
    tenant_id      text COLLATE "C" NOT NULL,
    kind           text COLLATE "C" NOT NULL,
    row_id         text COLLATE "C" NOT NULL,
    requested_at   timestamptz      NOT NULL,
    status         text             NOT NULL,
    client_id      text,
    outcome_offset bigint,                      -- version of the outcome that the row tells; null: none yet
    outcome_swap   integer,
    request_seen   boolean          NOT NULL,   -- of an import: its request was read
    bulk_from      timestamptz,                 -- of an import: requested_at of the bulk's row that counts it
    reviewable     integer          NOT NULL,   -- actions in the row that have something to review
    shown          json             NOT NULL,   -- schemas.progress.IntegrationProgressed, as published
    PRIMARY KEY (tenant_id, kind, row_id, requested_at),
    CHECK (kind IN ('import', 'bulk_import', 'connection', 'client_added')),
    CHECK (status IN ('queued', 'fetching', 'ready_for_review', 'in_review', 'completed', 'failed', 'superseded'))
) PARTITION BY RANGE (requested_at);
CREATE INDEX progress_newest_first ON notifier.progress (tenant_id, requested_at, kind, row_id);

-- What is or was to be published, by the place of the input that changed the row.
CREATE TABLE notifier.snapshots (
    topic        text COLLATE "C" NOT NULL,
    partition    integer          NOT NULL,
    "offset"     bigint           NOT NULL,
    tenant_id    text COLLATE "C" NOT NULL,
    kind         text COLLATE "C" NOT NULL,
    row_id       text COLLATE "C" NOT NULL,
    requested_at timestamptz      NOT NULL,     -- of the row, so that both go together
    event        text             NOT NULL,     -- as published
    PRIMARY KEY (topic, partition, "offset", tenant_id, kind, row_id, requested_at)
) PARTITION BY RANGE (requested_at);

GRANT SELECT, INSERT, UPDATE ON notifier.tenants, notifier.progress TO muster_notifier;
GRANT SELECT, INSERT ON notifier.snapshots TO muster_notifier;

-- Readers see the rows of the tenant that their transaction names; without one, none.
ALTER TABLE notifier.progress ENABLE ROW LEVEL SECURITY;
CREATE POLICY writer ON notifier.progress TO muster_notifier USING (true) WITH CHECK (true);
CREATE POLICY reader ON notifier.progress FOR SELECT TO muster_reader
    USING (tenant_id = current_setting('muster.tenant_id', true));
GRANT SELECT ON notifier.progress TO muster_reader;

CREATE VIEW notifier.visible_progress WITH (security_invoker = true) AS
SELECT tenant_id, kind, row_id, requested_at, status, client_id, shown
FROM notifier.progress
WHERE requested_at > now() - interval '72 hours';
GRANT SELECT ON notifier.visible_progress TO muster_reader;

-- Make the day's partitions; false if they are there already. Attaching, unlike creating in place, lets readers and
-- writers go on. One at a time, and then a query rather than to_regclass, whose cache may not know what another
-- transaction made while this one waited.
CREATE FUNCTION notifier.add_partitions(day date) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = notifier, pg_temp AS $$
DECLARE
    suffix text := to_char(day, '_YYYYMMDD');
    parent text;
BEGIN
    IF EXISTS (SELECT FROM pg_tables WHERE schemaname = 'notifier' AND tablename = 'progress' || suffix) THEN
        RETURN false;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('notifier.add_partitions'));
    IF EXISTS (SELECT FROM pg_tables WHERE schemaname = 'notifier' AND tablename = 'progress' || suffix) THEN
        RETURN false;
    END IF;
    FOREACH parent IN ARRAY ARRAY['progress', 'snapshots'] LOOP
        EXECUTE format(
            'CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS INCLUDING CONSTRAINTS) WITH (fillfactor = 80)',
            parent || suffix, parent
        );
        EXECUTE format(
            'ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
            parent, parent || suffix, day::timestamp AT TIME ZONE 'UTC', (day + 1)::timestamp AT TIME ZONE 'UTC'
        );
    END LOOP;
    RETURN true;
END
$$;

-- Drop the partitions of the days that were over by then, and say how many. Waits a second at most for what is running:
-- whoever comes behind it would wait as long.
CREATE FUNCTION notifier.drop_partitions(over_by timestamptz) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = notifier, pg_temp SET lock_timeout = '1s' AS $$
DECLARE
    old regclass;
    dropped integer := 0;
BEGIN
    FOR old IN
        SELECT inhrelid::regclass
        FROM pg_inherits
        WHERE inhparent IN ('progress'::regclass, 'snapshots'::regclass)
            AND (to_date(right(inhrelid::regclass::text, 8), 'YYYYMMDD') + 1)::timestamp AT TIME ZONE 'UTC' <= over_by
        ORDER BY inhrelid::regclass::text
    LOOP
        EXECUTE format('DROP TABLE %s', old);
        dropped := dropped + 1;
    END LOOP;
    RETURN dropped;
END
$$;

REVOKE ALL ON FUNCTION notifier.add_partitions, notifier.drop_partitions FROM PUBLIC;
GRANT EXECUTE ON FUNCTION notifier.add_partitions, notifier.drop_partitions TO muster_notifier;
