-- What a rebuild of integration progress has mended and is still to be told, in order.

CREATE TABLE notifier.mended (
    number    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id text COLLATE "C" NOT NULL,
    event     text             NOT NULL        -- as published
);

GRANT SELECT, DELETE ON notifier.mended TO muster_notifier;
