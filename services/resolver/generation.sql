-- The tables of one generation. Run with search_path set to the generation's schema.
-- Everything here is a fold of the journal: the same journal under the same rules gives the same rows.

CREATE TABLE clients (
    tenant_id      text   NOT NULL,
    client_id      text   NOT NULL,
    xpm_client_id  text,
    account_email  text,
    details        jsonb  NOT NULL,          -- field -> value; what is not there holds nothing
    provenance     jsonb  NOT NULL,          -- field -> {"by": "portal" | "xpm"}
    details_from   bigint,                   -- start of the import that last gave details
    staged_from    bigint,                   -- latest start of an import that reached ImportStaged
    PRIMARY KEY (tenant_id, client_id),
    UNIQUE (tenant_id, xpm_client_id) DEFERRABLE INITIALLY DEFERRED
);

CREATE TABLE members (
    tenant_id   text    NOT NULL,
    member_id   text    NOT NULL,
    client_id   text    NOT NULL,
    co_owner    boolean NOT NULL,
    removed     boolean NOT NULL,
    details     jsonb   NOT NULL,            -- field -> value, `relationship` among them
    provenance  jsonb   NOT NULL,            -- field -> {"by": "portal" | "xpm" | "staff", "xpm": what XPM has}
    digest      text    NOT NULL,            -- schemas.seen.member_digest
    PRIMARY KEY (tenant_id, member_id)
);

CREATE TABLE links (
    tenant_id     text   NOT NULL,
    client_id     text   NOT NULL,
    xpm_party_id  text   NOT NULL,
    member_id     text   NOT NULL,
    item_id       text   NOT NULL,           -- the item whose decision made the link
    details_from  bigint NOT NULL,           -- start of the import that last gave the member details
    PRIMARY KEY (tenant_id, client_id, xpm_party_id),
    UNIQUE (tenant_id, member_id) DEFERRABLE INITIALLY DEFERRED
);

CREATE TABLE items (
    tenant_id     text    NOT NULL,
    item_id       text    NOT NULL,
    client_id     text    NOT NULL,
    xpm_party_id  text    NOT NULL,
    import_id     text    NOT NULL,          -- the import that last staged it
    staged_from   bigint  NOT NULL,          -- and that import's start
    state         text    NOT NULL CHECK (state IN ('pending', 'imported', 'linked', 'ignored', 'attached', 'withdrawn')),
    reason        text,                      -- why it was withdrawn
    personal      jsonb   NOT NULL,          -- the party's details as staged
    relationship  jsonb   NOT NULL,
    archived      boolean NOT NULL,
    stub          boolean NOT NULL,
    details_as_of timestamptz,
    in_xpm        boolean NOT NULL,          -- false: decided, and no longer in XPM
    digest        text    NOT NULL,          -- schemas.seen.item_digest
    member_id     text,
    attached_by   text,                      -- the item that took this one along
    decided_by    text,
    decided_at    timestamptz,
    ignored       jsonb,                     -- {"personal", "relationship"} as they were when it was last ignored
    PRIMARY KEY (tenant_id, item_id)
);

CREATE TABLE imports (
    tenant_id      text    NOT NULL,
    import_id      text    NOT NULL,
    client_id      text    NOT NULL,
    bulk_id        text,
    requested_by   text    NOT NULL,
    requested_at   timestamptz NOT NULL,
    started_from   bigint  NOT NULL,         -- journal offset of its first applied ImportStarted: orders imports
    status         text    NOT NULL CHECK (status IN ('fetching', 'ready_for_review', 'in_review', 'completed', 'failed', 'superseded')),
    waiting_until  timestamptz,
    waiting_why    text,
    reason         text,
    message        text,
    reviewed       boolean NOT NULL,         -- a decision was applied to one of its items
    item_ids       jsonb,                    -- its list, sorted, once ImportStaged was applied
    unstaged       integer NOT NULL,         -- items of the list that neither it nor a later import has staged
    counts         jsonb   NOT NULL,         -- schemas.outcomes.Counts
    PRIMARY KEY (tenant_id, import_id)
);

CREATE TABLE co_owner_emails (
    tenant_id  text NOT NULL,
    email      text NOT NULL,                -- normalised
    client_id  text NOT NULL,
    member_id  text,                         -- null: the client's account_email
    PRIMARY KEY (tenant_id, email)
);

CREATE TABLE decisions (
    tenant_id    text        NOT NULL,       -- '' where the record names no readable tenant
    partition    integer     NOT NULL,
    "offset"     bigint      NOT NULL,
    ordinal      integer     NOT NULL,       -- 0 answers the record; further parts of a large outcome follow
    at           timestamptz NOT NULL,       -- the broker's timestamp
    result       text        NOT NULL CHECK (result IN ('applied', 'rejected', 'failed', 'unreadable', 'repeated')),
    reason       text,
    claims_id    boolean     NOT NULL,
    event_id     text,
    event_type   text,
    content      bytea,                      -- digest of type, subject and data
    decided_by   text,
    client_id    text,
    import_id    text,
    item_id      text,
    member_id    text,
    first_offset bigint,                     -- of a repeat: the record whose outcome answers it
    before       jsonb,                      -- the member or client as it was
    outcome      text,                       -- as published
    PRIMARY KEY (partition, "offset", ordinal, tenant_id)
);

CREATE TABLE positions (
    "group"      text        NOT NULL,
    topic        text        NOT NULL,
    partition    integer     NOT NULL,
    cluster_id   text        NOT NULL,
    epoch        integer     NOT NULL,
    applied_to   bigint      NOT NULL,
    published_to bigint      NOT NULL,
    updated_at   timestamptz NOT NULL,
    PRIMARY KEY ("group", topic, partition)
);

-- Nobody looks rows up by these, and statistics on them would be most of the work of an ANALYZE.
ALTER TABLE clients ALTER details SET STATISTICS 0, ALTER provenance SET STATISTICS 0;
ALTER TABLE members ALTER details SET STATISTICS 0, ALTER provenance SET STATISTICS 0, ALTER digest SET STATISTICS 0;
ALTER TABLE items ALTER personal SET STATISTICS 0, ALTER relationship SET STATISTICS 0, ALTER ignored SET STATISTICS 0,
    ALTER digest SET STATISTICS 0;
ALTER TABLE imports ALTER message SET STATISTICS 0, ALTER item_ids SET STATISTICS 0, ALTER counts SET STATISTICS 0;
ALTER TABLE decisions ALTER content SET STATISTICS 0, ALTER before SET STATISTICS 0, ALTER outcome SET STATISTICS 0;
