-- Replay: generations beside the live one, and what each swap was.

ALTER TABLE resolver.generations
    ADD COLUMN purpose text NOT NULL DEFAULT 'replay' CHECK (purpose IN ('replay', 'verify', 'look', 'snapshot')),
    ADD COLUMN replaced_by integer;         -- number of the swap that took it away from the readers

CREATE TABLE resolver.swaps (
    number     integer     NOT NULL PRIMARY KEY,
    generation integer     NOT NULL,        -- that became live
    before     integer     NOT NULL,        -- that was live before
    at         timestamptz NOT NULL
);

CREATE TABLE resolver.swap_offsets (
    swap      integer NOT NULL REFERENCES resolver.swaps (number),
    partition integer NOT NULL,
    "offset"  bigint  NOT NULL,             -- records from here on are answered under the swap's number
    PRIMARY KEY (swap, partition)
);

GRANT SELECT ON resolver.swaps, resolver.swap_offsets TO muster_resolver, muster_reader;

CREATE FUNCTION resolver.with_swap(outcome text, swap integer) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN regexp_replace(
    regexp_replace(outcome, '^(\{"specversion":"1\.0","id":"(?:[^"\\]|\\.)*/)\d+(/\d+",)', '\1' || swap || '\2'),
    '("version":\{"offset":\d+,"swap":)\d+', '\1' || swap
);
COMMENT ON FUNCTION resolver.with_swap IS
    'An outcome as it is told under the number of another swap: in its id and in its version.';
