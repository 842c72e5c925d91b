-- What operators did about dead letters; the letters themselves are in Kafka. The last attempt says how a letter stands.

CREATE TABLE ops.dead_letters (
    letter_id text        NOT NULL,             -- header muster-dead-letter-id
    attempt   integer     NOT NULL CHECK (attempt > 0),
    run       uuid        NOT NULL,             -- ops.audit
    action    text        NOT NULL CHECK (action IN ('redrive', 'discard')),
    state     text        NOT NULL CHECK (state IN ('begun', 'done', 'undone')),
    at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    topic     text        NOT NULL,             -- where the record came from, and its copy goes to; without a prefix
    redrives  integer     NOT NULL,             -- of the record, the copy included: header muster-redrive-count
    reason    text,                             -- of a discard
    partition integer,                          -- of the copy, as soon as it is acknowledged
    "offset"  bigint,
    PRIMARY KEY (letter_id, attempt),
    CHECK ((action = 'discard') = (reason IS NOT NULL))
);
CREATE INDEX dead_letters_in_doubt ON ops.dead_letters (topic) WHERE state = 'begun';

GRANT SELECT, INSERT, UPDATE ON ops.dead_letters TO muster_operator;
