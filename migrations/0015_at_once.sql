-- What small batches of a service are stored by: one statement that stands only if nobody else was there first.

CREATE SCHEMA worker;
GRANT USAGE ON SCHEMA worker TO muster_importer, muster_resolver, muster_notifier;

CREATE FUNCTION worker.require(holds boolean) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF holds IS NOT TRUE THEN
        RAISE EXCEPTION 'what this statement relied on is not so any more' USING ERRCODE = 'MU001';
    END IF;
END
$$;
COMMENT ON FUNCTION worker.require IS 'Roll back the statement that asks, unless this holds.';

-- In plpgsql, and volatile: it sees what was committed while its statement waited for a lock.
CREATE FUNCTION resolver.is_live(number integer, rules integer, swap integer) RETURNS boolean
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    RETURN EXISTS (
        SELECT FROM resolver.generations AS one
        WHERE one.live AND (one.number, one.rules, one.swap) = (is_live.number, is_live.rules, is_live.swap)
    );
END
$$;
COMMENT ON FUNCTION resolver.is_live IS 'Whether this generation is live by now, with these rules and since this swap.';

-- Counted up by every batch that folds rows of the tenant, so that it shows whether another one was there meanwhile.
ALTER TABLE notifier.tenants ADD COLUMN folds bigint NOT NULL DEFAULT 0, SET (fillfactor = 50);
