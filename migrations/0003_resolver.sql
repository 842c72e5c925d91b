-- The resolver's generations. The tables of each are in a schema of its own (services/resolver/generation.sql);
-- the views in this schema show the live one to readers.

CREATE TABLE resolver.generations (
    number   integer     NOT NULL PRIMARY KEY,
    rules    integer     NOT NULL,          -- version of the rules that folded it
    swap     integer     NOT NULL,          -- number of the swap that made it live
    live     boolean     NOT NULL,
    made_at  timestamptz NOT NULL
);
CREATE UNIQUE INDEX generations_one_live ON resolver.generations (live) WHERE live;

GRANT SELECT ON resolver.generations TO muster_resolver, muster_reader;
