-- The schema that the migrations result in. Made by `make generate`; a test says when it is stale.

CREATE SCHEMA importer;

CREATE SCHEMA notifier;

CREATE SCHEMA ops;

CREATE SCHEMA resolver;

CREATE SCHEMA resolver_g1;

CREATE SCHEMA worker;

CREATE FUNCTION notifier.add_partitions(day date) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'notifier', 'pg_temp'
    AS $$
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

CREATE FUNCTION notifier.drop_partitions(over_by timestamp with time zone) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'notifier', 'pg_temp'
    SET lock_timeout TO '1s'
    AS $$
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

CREATE FUNCTION ops.refuse_change() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    RAISE EXCEPTION 'the audit is only ever added to';
END
$$;

CREATE FUNCTION resolver.is_live(number integer, rules integer, swap integer) RETURNS boolean
    LANGUAGE plpgsql
    AS $$
BEGIN
    RETURN EXISTS (
        SELECT FROM resolver.generations AS one
        WHERE one.live AND (one.number, one.rules, one.swap) = (is_live.number, is_live.rules, is_live.swap)
    );
END
$$;

COMMENT ON FUNCTION resolver.is_live(number integer, rules integer, swap integer) IS 'Whether this generation is live by now, with these rules and since this swap.';

CREATE FUNCTION resolver.with_swap(outcome text, swap integer) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN regexp_replace(regexp_replace(outcome, '^(\{"specversion":"1\.0","id":"(?:[^"\\]|\\.)*/)\d+(/\d+",)'::text, (('\1'::text || swap) || '\2'::text)), '("version":\{"offset":\d+,"swap":)\d+'::text, ('\1'::text || swap));

COMMENT ON FUNCTION resolver.with_swap(outcome text, swap integer) IS 'An outcome as it is told under the number of another swap: in its id and in its version.';

CREATE FUNCTION worker.require(holds boolean) RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF holds IS NOT TRUE THEN
        RAISE EXCEPTION 'what this statement relied on is not so any more' USING ERRCODE = 'MU001';
    END IF;
END
$$;

COMMENT ON FUNCTION worker.require(holds boolean) IS 'Roll back the statement that asks, unless this holds.';

CREATE TABLE importer.authorizations (
    tenant_id text NOT NULL,
    state_digest bytea NOT NULL,
    verifier bytea NOT NULL,
    return_url text NOT NULL,
    requested_by text NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    proof_digest bytea DEFAULT '\x'::bytea NOT NULL,
    ticket_digest bytea,
    code bytea
);

CREATE TABLE importer.choices (
    tenant_id text NOT NULL,
    tokens bytea NOT NULL,
    refresh_at timestamp with time zone NOT NULL,
    practices jsonb NOT NULL,
    made_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);

CREATE TABLE importer.connection_facts (
    tenant_id text NOT NULL,
    ordinal bigint NOT NULL,
    event bytea NOT NULL
);

ALTER TABLE importer.connection_facts ALTER COLUMN ordinal ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME importer.connection_facts_ordinal_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE importer.connections (
    tenant_id text CONSTRAINT connections_tenant_id_not_null1 NOT NULL,
    state text NOT NULL,
    connection_id text CONSTRAINT connections_connection_id_not_null1 NOT NULL,
    xpm_tenant_id text NOT NULL,
    practice_name text NOT NULL,
    tokens bytea,
    refresh_at timestamp with time zone,
    changed_at timestamp with time zone DEFAULT clock_timestamp() CONSTRAINT connections_changed_at_not_null1 NOT NULL,
    CONSTRAINT connections_check CHECK (((state = 'connected'::text) = (tokens IS NOT NULL))),
    CONSTRAINT connections_check1 CHECK (((tokens IS NULL) = (refresh_at IS NULL))),
    CONSTRAINT connections_state_check CHECK ((state = ANY (ARRAY['connected'::text, 'reconnect_required'::text, 'disconnected'::text])))
);

CREATE TABLE importer.given_connections (
    tenant_id text CONSTRAINT connections_tenant_id_not_null NOT NULL,
    connection_id text CONSTRAINT connections_connection_id_not_null NOT NULL,
    practice_name text,
    changes integer DEFAULT 1 CONSTRAINT connections_changes_not_null NOT NULL,
    changed_at timestamp with time zone DEFAULT clock_timestamp() CONSTRAINT connections_changed_at_not_null NOT NULL
);

CREATE TABLE importer.mirror_clients (
    tenant_id text NOT NULL,
    xpm_client_id text NOT NULL,
    record jsonb NOT NULL,
    read_at timestamp with time zone NOT NULL
);

CREATE TABLE importer.mirror_parties (
    tenant_id text NOT NULL,
    xpm_client_id text NOT NULL,
    details jsonb,
    archived boolean DEFAULT false NOT NULL,
    deleted boolean DEFAULT false NOT NULL,
    as_of timestamp with time zone NOT NULL
);

CREATE TABLE importer.mirrors (
    tenant_id text NOT NULL,
    xpm_tenant_id text NOT NULL,
    full_at timestamp with time zone,
    fresh_at timestamp with time zone,
    sees_archived boolean DEFAULT false NOT NULL,
    checks integer DEFAULT 0 NOT NULL,
    lookups integer DEFAULT 0 NOT NULL,
    failures integer DEFAULT 0 NOT NULL,
    lists_from timestamp with time zone,
    read_by uuid,
    read_until timestamp with time zone
);

CREATE TABLE importer.positions (
    "group" text NOT NULL,
    topic text NOT NULL,
    partition integer NOT NULL,
    cluster_id text NOT NULL,
    epoch integer NOT NULL,
    applied_to bigint NOT NULL,
    published_to bigint NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    CONSTRAINT positions_check CHECK (((0 <= published_to) AND (published_to <= applied_to)))
)
WITH (fillfactor='50');

CREATE TABLE importer.quotas (
    xpm_tenant_id text NOT NULL,
    budget jsonb NOT NULL,
    changes bigint NOT NULL,
    changed_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
)
WITH (fillfactor='50');

CREATE TABLE importer.requests (
    tenant_id text NOT NULL,
    import_id text NOT NULL,
    arrival bigint NOT NULL,
    client_id text NOT NULL,
    xpm_client_id text,
    requested_by text NOT NULL,
    bulk_id text,
    requested_at timestamp with time zone NOT NULL,
    content bytea NOT NULL,
    status text DEFAULT 'behind'::text NOT NULL,
    ready_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    waits integer DEFAULT 0 NOT NULL,
    trouble_since timestamp with time zone,
    announcement bytea,
    resume_at timestamp with time zone,
    last_event bytea,
    asked_again integer DEFAULT 0 NOT NULL,
    leased_by uuid,
    leased_until timestamp with time zone,
    to_do boolean GENERATED ALWAYS AS (((status = ANY (ARRAY['queued'::text, 'stored'::text])) OR (asked_again > 0))) STORED NOT NULL,
    taken_in_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT requests_asked_again_check CHECK ((asked_again >= 0)),
    CONSTRAINT requests_status_check CHECK ((status = ANY (ARRAY['behind'::text, 'queued'::text, 'stored'::text, 'ended'::text])))
);

ALTER TABLE importer.requests ALTER COLUMN arrival ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME importer.requests_arrival_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE importer.revocations (
    tenant_id text NOT NULL,
    ordinal bigint NOT NULL,
    connection_id text,
    tokens bytea NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    due_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    asked_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);

ALTER TABLE importer.revocations ALTER COLUMN ordinal ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME importer.revocations_ordinal_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE importer.staged_events (
    tenant_id text NOT NULL,
    import_id text NOT NULL,
    ordinal integer NOT NULL,
    event bytea NOT NULL
);

CREATE TABLE importer.turns (
    tenant_id text NOT NULL,
    served_at timestamp with time zone,
    paused_until timestamp with time zone
);

CREATE TABLE importer.wording (
    tenant_id text NOT NULL,
    ordinal bigint NOT NULL,
    word text NOT NULL,
    meaning jsonb,
    changed_by text NOT NULL,
    changed_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);

ALTER TABLE importer.wording ALTER COLUMN ordinal ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME importer.wording_ordinal_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE notifier.mended (
    number bigint NOT NULL,
    tenant_id text NOT NULL COLLATE pg_catalog."C",
    event text NOT NULL
);

ALTER TABLE notifier.mended ALTER COLUMN number ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME notifier.mended_number_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE notifier.positions (
    "group" text NOT NULL,
    topic text NOT NULL,
    partition integer NOT NULL,
    cluster_id text NOT NULL,
    epoch integer NOT NULL,
    applied_to bigint NOT NULL,
    published_to bigint NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    CONSTRAINT positions_check CHECK (((0 <= published_to) AND (published_to <= applied_to)))
)
WITH (fillfactor='50');

CREATE TABLE notifier.progress (
    tenant_id text NOT NULL COLLATE pg_catalog."C",
    kind text NOT NULL COLLATE pg_catalog."C",
    row_id text NOT NULL COLLATE pg_catalog."C",
    requested_at timestamp with time zone NOT NULL,
    status text NOT NULL,
    client_id text,
    outcome_offset bigint,
    outcome_swap integer,
    request_seen boolean NOT NULL,
    bulk_from timestamp with time zone,
    reviewable integer NOT NULL,
    shown json NOT NULL,
    CONSTRAINT progress_kind_check CHECK ((kind = ANY (ARRAY['import'::text, 'bulk_import'::text, 'connection'::text, 'client_added'::text]))),
    CONSTRAINT progress_status_check CHECK ((status = ANY (ARRAY['queued'::text, 'fetching'::text, 'ready_for_review'::text, 'in_review'::text, 'completed'::text, 'failed'::text, 'superseded'::text])))
)
PARTITION BY RANGE (requested_at);

CREATE TABLE notifier.snapshots (
    topic text NOT NULL COLLATE pg_catalog."C",
    partition integer NOT NULL,
    "offset" bigint NOT NULL,
    tenant_id text NOT NULL COLLATE pg_catalog."C",
    kind text NOT NULL COLLATE pg_catalog."C",
    row_id text NOT NULL COLLATE pg_catalog."C",
    requested_at timestamp with time zone NOT NULL,
    event text NOT NULL
)
PARTITION BY RANGE (requested_at);

CREATE TABLE notifier.tenants (
    tenant_id text NOT NULL COLLATE pg_catalog."C",
    folds bigint DEFAULT 0 NOT NULL
)
WITH (fillfactor='50');

CREATE VIEW notifier.visible_progress WITH (security_invoker='true') AS
 SELECT tenant_id,
    kind,
    row_id,
    requested_at,
    status,
    client_id,
    shown
   FROM notifier.progress
  WHERE (requested_at > (now() - '72:00:00'::interval));

CREATE TABLE ops.audit (
    number bigint NOT NULL,
    run uuid NOT NULL,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    what text NOT NULL,
    who text NOT NULL,
    login text DEFAULT SESSION_USER NOT NULL,
    release text NOT NULL,
    verb text NOT NULL,
    arguments jsonb NOT NULL,
    result jsonb,
    CONSTRAINT audit_what_check CHECK ((what = ANY (ARRAY['begun'::text, 'done'::text, 'failed'::text, 'interrupted'::text])))
);

ALTER TABLE ops.audit ALTER COLUMN number ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME ops.audit_number_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE ops.dead_letters (
    letter_id text NOT NULL,
    attempt integer NOT NULL,
    run uuid NOT NULL,
    action text NOT NULL,
    state text NOT NULL,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    topic text NOT NULL,
    redrives integer NOT NULL,
    reason text,
    partition integer,
    "offset" bigint,
    CONSTRAINT dead_letters_action_check CHECK ((action = ANY (ARRAY['redrive'::text, 'discard'::text, 'replay'::text]))),
    CONSTRAINT dead_letters_attempt_check CHECK ((attempt > 0)),
    CONSTRAINT dead_letters_check CHECK (((action = 'discard'::text) = (reason IS NOT NULL))),
    CONSTRAINT dead_letters_state_check CHECK ((state = ANY (ARRAY['begun'::text, 'done'::text, 'undone'::text])))
);

CREATE TABLE public.migrations (
    number integer NOT NULL,
    name text NOT NULL,
    checksum text NOT NULL,
    applied_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE resolver_g1.clients (
    tenant_id text NOT NULL,
    client_id text NOT NULL,
    xpm_client_id text,
    account_email text,
    details jsonb NOT NULL,
    provenance jsonb NOT NULL,
    details_from bigint,
    staged_from bigint
);
ALTER TABLE ONLY resolver_g1.clients ALTER COLUMN details SET STATISTICS 0;
ALTER TABLE ONLY resolver_g1.clients ALTER COLUMN provenance SET STATISTICS 0;

CREATE VIEW resolver.clients WITH (security_invoker='true') AS
 SELECT tenant_id,
    client_id,
    xpm_client_id,
    account_email,
    details,
    provenance,
    details_from,
    staged_from
   FROM resolver_g1.clients;

CREATE TABLE resolver_g1.co_owner_emails (
    tenant_id text NOT NULL,
    email text NOT NULL,
    client_id text NOT NULL,
    member_id text
);

CREATE VIEW resolver.co_owner_emails WITH (security_invoker='true') AS
 SELECT tenant_id,
    email,
    client_id,
    member_id
   FROM resolver_g1.co_owner_emails;

CREATE TABLE resolver_g1.decisions (
    tenant_id text NOT NULL,
    partition integer NOT NULL,
    "offset" bigint NOT NULL,
    ordinal integer NOT NULL,
    at timestamp with time zone NOT NULL,
    result text NOT NULL,
    reason text,
    claims_id boolean NOT NULL,
    event_id text,
    event_type text,
    content bytea,
    decided_by text,
    client_id text,
    import_id text,
    item_id text,
    member_id text,
    first_offset bigint,
    before jsonb,
    outcome text,
    CONSTRAINT decisions_result_check CHECK ((result = ANY (ARRAY['applied'::text, 'rejected'::text, 'failed'::text, 'unreadable'::text, 'repeated'::text])))
);
ALTER TABLE ONLY resolver_g1.decisions ALTER COLUMN content SET STATISTICS 0;
ALTER TABLE ONLY resolver_g1.decisions ALTER COLUMN before SET STATISTICS 0;
ALTER TABLE ONLY resolver_g1.decisions ALTER COLUMN outcome SET STATISTICS 0;

CREATE VIEW resolver.decisions WITH (security_invoker='true') AS
 SELECT tenant_id,
    partition,
    "offset",
    ordinal,
    at,
    result,
    reason,
    claims_id,
    event_id,
    event_type,
    content,
    decided_by,
    client_id,
    import_id,
    item_id,
    member_id,
    first_offset,
    before,
    outcome
   FROM resolver_g1.decisions;

CREATE TABLE resolver.generations (
    number integer NOT NULL,
    rules integer NOT NULL,
    swap integer NOT NULL,
    live boolean NOT NULL,
    made_at timestamp with time zone NOT NULL,
    purpose text DEFAULT 'replay'::text NOT NULL,
    replaced_by integer,
    CONSTRAINT generations_purpose_check CHECK ((purpose = ANY (ARRAY['replay'::text, 'verify'::text, 'look'::text, 'snapshot'::text])))
);

CREATE TABLE resolver_g1.imports (
    tenant_id text NOT NULL,
    import_id text NOT NULL,
    client_id text NOT NULL,
    bulk_id text,
    requested_by text NOT NULL,
    requested_at timestamp with time zone NOT NULL,
    started_from bigint NOT NULL,
    status text NOT NULL,
    waiting_until timestamp with time zone,
    waiting_why text,
    reason text,
    message text,
    reviewed boolean NOT NULL,
    item_ids jsonb,
    unstaged integer NOT NULL,
    counts jsonb NOT NULL,
    CONSTRAINT imports_status_check CHECK ((status = ANY (ARRAY['fetching'::text, 'ready_for_review'::text, 'in_review'::text, 'completed'::text, 'failed'::text, 'superseded'::text])))
);
ALTER TABLE ONLY resolver_g1.imports ALTER COLUMN message SET STATISTICS 0;
ALTER TABLE ONLY resolver_g1.imports ALTER COLUMN item_ids SET STATISTICS 0;
ALTER TABLE ONLY resolver_g1.imports ALTER COLUMN counts SET STATISTICS 0;

CREATE VIEW resolver.imports WITH (security_invoker='true') AS
 SELECT tenant_id,
    import_id,
    client_id,
    bulk_id,
    requested_by,
    requested_at,
    started_from,
    status,
    waiting_until,
    waiting_why,
    reason,
    message,
    reviewed,
    item_ids,
    unstaged,
    counts
   FROM resolver_g1.imports;

CREATE TABLE resolver_g1.items (
    tenant_id text NOT NULL,
    item_id text NOT NULL,
    client_id text NOT NULL,
    xpm_party_id text NOT NULL,
    import_id text NOT NULL,
    staged_from bigint NOT NULL,
    state text NOT NULL,
    reason text,
    personal jsonb NOT NULL,
    relationship jsonb NOT NULL,
    archived boolean NOT NULL,
    stub boolean NOT NULL,
    details_as_of timestamp with time zone,
    in_xpm boolean NOT NULL,
    digest text NOT NULL,
    member_id text,
    attached_by text,
    decided_by text,
    decided_at timestamp with time zone,
    ignored jsonb,
    CONSTRAINT items_state_check CHECK ((state = ANY (ARRAY['pending'::text, 'imported'::text, 'linked'::text, 'ignored'::text, 'attached'::text, 'withdrawn'::text])))
);
ALTER TABLE ONLY resolver_g1.items ALTER COLUMN personal SET STATISTICS 0;
ALTER TABLE ONLY resolver_g1.items ALTER COLUMN relationship SET STATISTICS 0;
ALTER TABLE ONLY resolver_g1.items ALTER COLUMN digest SET STATISTICS 0;
ALTER TABLE ONLY resolver_g1.items ALTER COLUMN ignored SET STATISTICS 0;

CREATE VIEW resolver.items WITH (security_invoker='true') AS
 SELECT tenant_id,
    item_id,
    client_id,
    xpm_party_id,
    import_id,
    staged_from,
    state,
    reason,
    personal,
    relationship,
    archived,
    stub,
    details_as_of,
    in_xpm,
    digest,
    member_id,
    attached_by,
    decided_by,
    decided_at,
    ignored
   FROM resolver_g1.items;

CREATE TABLE resolver_g1.links (
    tenant_id text NOT NULL,
    client_id text NOT NULL,
    xpm_party_id text NOT NULL,
    member_id text NOT NULL,
    item_id text NOT NULL,
    details_from bigint NOT NULL
);

CREATE VIEW resolver.links WITH (security_invoker='true') AS
 SELECT tenant_id,
    client_id,
    xpm_party_id,
    member_id,
    item_id,
    details_from
   FROM resolver_g1.links;

CREATE TABLE resolver_g1.members (
    tenant_id text NOT NULL,
    member_id text NOT NULL,
    client_id text NOT NULL,
    co_owner boolean NOT NULL,
    removed boolean NOT NULL,
    details jsonb NOT NULL,
    provenance jsonb NOT NULL,
    digest text NOT NULL
);
ALTER TABLE ONLY resolver_g1.members ALTER COLUMN details SET STATISTICS 0;
ALTER TABLE ONLY resolver_g1.members ALTER COLUMN provenance SET STATISTICS 0;
ALTER TABLE ONLY resolver_g1.members ALTER COLUMN digest SET STATISTICS 0;

CREATE VIEW resolver.members WITH (security_invoker='true') AS
 SELECT tenant_id,
    member_id,
    client_id,
    co_owner,
    removed,
    details,
    provenance,
    digest
   FROM resolver_g1.members;

CREATE TABLE resolver.swap_offsets (
    swap integer NOT NULL,
    partition integer NOT NULL,
    "offset" bigint NOT NULL
);

CREATE TABLE resolver.swaps (
    number integer NOT NULL,
    generation integer NOT NULL,
    before integer NOT NULL,
    at timestamp with time zone NOT NULL
);

CREATE TABLE resolver_g1.positions (
    "group" text NOT NULL,
    topic text NOT NULL,
    partition integer NOT NULL,
    cluster_id text NOT NULL,
    epoch integer NOT NULL,
    applied_to bigint NOT NULL,
    published_to bigint NOT NULL,
    updated_at timestamp with time zone NOT NULL
);

ALTER TABLE ONLY importer.authorizations
    ADD CONSTRAINT authorizations_pkey PRIMARY KEY (tenant_id, state_digest);

ALTER TABLE ONLY importer.choices
    ADD CONSTRAINT choices_pkey PRIMARY KEY (tenant_id);

ALTER TABLE ONLY importer.connection_facts
    ADD CONSTRAINT connection_facts_pkey PRIMARY KEY (tenant_id, ordinal);

ALTER TABLE ONLY importer.connections
    ADD CONSTRAINT connections_pkey PRIMARY KEY (tenant_id);

ALTER TABLE ONLY importer.given_connections
    ADD CONSTRAINT given_connections_pkey PRIMARY KEY (tenant_id);

ALTER TABLE ONLY importer.mirror_clients
    ADD CONSTRAINT mirror_clients_pkey PRIMARY KEY (tenant_id, xpm_client_id);

ALTER TABLE ONLY importer.mirror_parties
    ADD CONSTRAINT mirror_parties_pkey PRIMARY KEY (tenant_id, xpm_client_id);

ALTER TABLE ONLY importer.mirrors
    ADD CONSTRAINT mirrors_pkey PRIMARY KEY (tenant_id);

ALTER TABLE ONLY importer.positions
    ADD CONSTRAINT positions_pkey PRIMARY KEY ("group", topic, partition);

ALTER TABLE ONLY importer.quotas
    ADD CONSTRAINT quotas_pkey PRIMARY KEY (xpm_tenant_id);

ALTER TABLE ONLY importer.requests
    ADD CONSTRAINT requests_pkey PRIMARY KEY (tenant_id, import_id);

ALTER TABLE ONLY importer.revocations
    ADD CONSTRAINT revocations_pkey PRIMARY KEY (tenant_id, ordinal);

ALTER TABLE ONLY importer.staged_events
    ADD CONSTRAINT staged_events_pkey PRIMARY KEY (tenant_id, import_id, ordinal);

ALTER TABLE ONLY importer.turns
    ADD CONSTRAINT turns_pkey PRIMARY KEY (tenant_id);

ALTER TABLE ONLY importer.wording
    ADD CONSTRAINT wording_pkey PRIMARY KEY (tenant_id, word, ordinal);

ALTER TABLE ONLY notifier.mended
    ADD CONSTRAINT mended_pkey PRIMARY KEY (number);

ALTER TABLE ONLY notifier.positions
    ADD CONSTRAINT positions_pkey PRIMARY KEY ("group", topic, partition);

ALTER TABLE ONLY notifier.progress
    ADD CONSTRAINT progress_pkey PRIMARY KEY (tenant_id, kind, row_id, requested_at);

ALTER TABLE ONLY notifier.snapshots
    ADD CONSTRAINT snapshots_pkey PRIMARY KEY (topic, partition, "offset", tenant_id, kind, row_id, requested_at);

ALTER TABLE ONLY notifier.tenants
    ADD CONSTRAINT tenants_pkey PRIMARY KEY (tenant_id);

ALTER TABLE ONLY ops.audit
    ADD CONSTRAINT audit_pkey PRIMARY KEY (number);

ALTER TABLE ONLY ops.dead_letters
    ADD CONSTRAINT dead_letters_pkey PRIMARY KEY (letter_id, attempt);

ALTER TABLE ONLY public.migrations
    ADD CONSTRAINT migrations_pkey PRIMARY KEY (number);

ALTER TABLE ONLY resolver.generations
    ADD CONSTRAINT generations_pkey PRIMARY KEY (number);

ALTER TABLE ONLY resolver.swap_offsets
    ADD CONSTRAINT swap_offsets_pkey PRIMARY KEY (swap, partition);

ALTER TABLE ONLY resolver.swaps
    ADD CONSTRAINT swaps_pkey PRIMARY KEY (number);

ALTER TABLE ONLY resolver_g1.clients
    ADD CONSTRAINT clients_pkey PRIMARY KEY (tenant_id, client_id);

ALTER TABLE ONLY resolver_g1.clients
    ADD CONSTRAINT clients_tenant_id_xpm_client_id_key UNIQUE (tenant_id, xpm_client_id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY resolver_g1.co_owner_emails
    ADD CONSTRAINT co_owner_emails_pkey PRIMARY KEY (tenant_id, email);

ALTER TABLE ONLY resolver_g1.decisions
    ADD CONSTRAINT decisions_pkey PRIMARY KEY (partition, "offset", ordinal, tenant_id);

ALTER TABLE ONLY resolver_g1.imports
    ADD CONSTRAINT imports_pkey PRIMARY KEY (tenant_id, import_id);

ALTER TABLE ONLY resolver_g1.items
    ADD CONSTRAINT items_pkey PRIMARY KEY (tenant_id, item_id);

ALTER TABLE ONLY resolver_g1.links
    ADD CONSTRAINT links_pkey PRIMARY KEY (tenant_id, client_id, xpm_party_id);

ALTER TABLE ONLY resolver_g1.links
    ADD CONSTRAINT links_tenant_id_member_id_key UNIQUE (tenant_id, member_id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY resolver_g1.members
    ADD CONSTRAINT members_pkey PRIMARY KEY (tenant_id, member_id);

ALTER TABLE ONLY resolver_g1.positions
    ADD CONSTRAINT positions_pkey PRIMARY KEY ("group", topic, partition);

CREATE INDEX authorizations_by_state ON importer.authorizations USING btree (state_digest);

CREATE INDEX authorizations_by_ticket ON importer.authorizations USING btree (ticket_digest);

CREATE INDEX connections_by_practice ON importer.connections USING btree (xpm_tenant_id) WHERE (state = 'connected'::text);

CREATE UNIQUE INDEX one_request_of_a_client ON importer.requests USING btree (tenant_id, client_id) WHERE (status = ANY (ARRAY['queued'::text, 'stored'::text]));

CREATE INDEX requests_by_time ON importer.requests USING btree (ready_at) WHERE to_do;

CREATE INDEX requests_in_hand ON importer.requests USING btree (tenant_id, leased_until) WHERE (leased_until IS NOT NULL);

CREATE INDEX requests_of_client ON importer.requests USING btree (tenant_id, client_id, arrival) WHERE (status <> 'ended'::text);

CREATE INDEX requests_to_do ON importer.requests USING btree (tenant_id, arrival) WHERE to_do;

CREATE INDEX revocations_due ON importer.revocations USING btree (due_at);

CREATE INDEX turns_paused ON importer.turns USING btree (paused_until) WHERE (paused_until IS NOT NULL);

CREATE INDEX progress_newest_first ON ONLY notifier.progress USING btree (tenant_id, requested_at, kind, row_id);

CREATE INDEX audit_of_run ON ops.audit USING btree (run);

CREATE INDEX dead_letters_in_doubt ON ops.dead_letters USING btree (topic) WHERE (state = 'begun'::text);

CREATE UNIQUE INDEX generations_one_live ON resolver.generations USING btree (live) WHERE live;

CREATE UNIQUE INDEX decisions_claim_ids ON resolver_g1.decisions USING btree (tenant_id, event_id) WHERE claims_id;

CREATE INDEX decisions_that_replaced ON resolver_g1.decisions USING btree (tenant_id, client_id, partition, "offset") WHERE ((before IS NOT NULL) AND (ordinal = 0));

CREATE INDEX items_of_client ON resolver_g1.items USING btree (tenant_id, client_id);

CREATE INDEX members_of_client ON resolver_g1.members USING btree (tenant_id, client_id);

CREATE INDEX open_imports_of_client ON resolver_g1.imports USING btree (tenant_id, client_id) WHERE (status = ANY (ARRAY['fetching'::text, 'ready_for_review'::text, 'in_review'::text]));

CREATE TRIGGER audit_is_for_ever BEFORE DELETE OR UPDATE OR TRUNCATE ON ops.audit FOR EACH STATEMENT EXECUTE FUNCTION ops.refuse_change();

ALTER TABLE ONLY importer.mirror_clients
    ADD CONSTRAINT mirror_clients_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES importer.mirrors(tenant_id) ON DELETE CASCADE;

ALTER TABLE ONLY importer.mirror_parties
    ADD CONSTRAINT mirror_parties_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES importer.mirrors(tenant_id) ON DELETE CASCADE;

ALTER TABLE ONLY importer.staged_events
    ADD CONSTRAINT staged_events_tenant_id_import_id_fkey FOREIGN KEY (tenant_id, import_id) REFERENCES importer.requests(tenant_id, import_id);

ALTER TABLE ONLY resolver.swap_offsets
    ADD CONSTRAINT swap_offsets_swap_fkey FOREIGN KEY (swap) REFERENCES resolver.swaps(number);

ALTER TABLE notifier.progress ENABLE ROW LEVEL SECURITY;

CREATE POLICY reader ON notifier.progress FOR SELECT TO muster_reader USING ((tenant_id = current_setting('muster.tenant_id'::text, true)));

CREATE POLICY writer ON notifier.progress TO muster_notifier USING (true) WITH CHECK (true);

ALTER TABLE resolver_g1.clients ENABLE ROW LEVEL SECURITY;

ALTER TABLE resolver_g1.co_owner_emails ENABLE ROW LEVEL SECURITY;

ALTER TABLE resolver_g1.decisions ENABLE ROW LEVEL SECURITY;

ALTER TABLE resolver_g1.imports ENABLE ROW LEVEL SECURITY;

ALTER TABLE resolver_g1.items ENABLE ROW LEVEL SECURITY;

ALTER TABLE resolver_g1.links ENABLE ROW LEVEL SECURITY;

ALTER TABLE resolver_g1.members ENABLE ROW LEVEL SECURITY;

CREATE POLICY reader ON resolver_g1.clients FOR SELECT TO muster_reader USING ((tenant_id = current_setting('muster.tenant_id'::text, true)));

CREATE POLICY reader ON resolver_g1.co_owner_emails FOR SELECT TO muster_reader USING ((tenant_id = current_setting('muster.tenant_id'::text, true)));

CREATE POLICY reader ON resolver_g1.decisions FOR SELECT TO muster_reader USING ((tenant_id = current_setting('muster.tenant_id'::text, true)));

CREATE POLICY reader ON resolver_g1.imports FOR SELECT TO muster_reader USING ((tenant_id = current_setting('muster.tenant_id'::text, true)));

CREATE POLICY reader ON resolver_g1.items FOR SELECT TO muster_reader USING ((tenant_id = current_setting('muster.tenant_id'::text, true)));

CREATE POLICY reader ON resolver_g1.links FOR SELECT TO muster_reader USING ((tenant_id = current_setting('muster.tenant_id'::text, true)));

CREATE POLICY reader ON resolver_g1.members FOR SELECT TO muster_reader USING ((tenant_id = current_setting('muster.tenant_id'::text, true)));

GRANT USAGE ON SCHEMA importer TO muster_importer;

GRANT USAGE ON SCHEMA notifier TO muster_notifier;
GRANT USAGE ON SCHEMA notifier TO muster_reader;

GRANT USAGE ON SCHEMA ops TO muster_operator;

GRANT USAGE ON SCHEMA resolver TO muster_resolver;
GRANT USAGE ON SCHEMA resolver TO muster_reader;

GRANT USAGE ON SCHEMA resolver_g1 TO muster_reader;

GRANT USAGE ON SCHEMA worker TO muster_importer;
GRANT USAGE ON SCHEMA worker TO muster_resolver;
GRANT USAGE ON SCHEMA worker TO muster_notifier;

REVOKE ALL ON FUNCTION notifier.add_partitions(day date) FROM PUBLIC;
GRANT ALL ON FUNCTION notifier.add_partitions(day date) TO muster_notifier;

REVOKE ALL ON FUNCTION notifier.drop_partitions(over_by timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION notifier.drop_partitions(over_by timestamp with time zone) TO muster_notifier;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE importer.authorizations TO muster_importer;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE importer.choices TO muster_importer;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE importer.connection_facts TO muster_importer;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE importer.connections TO muster_importer;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE importer.given_connections TO muster_importer;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE importer.mirror_clients TO muster_importer;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE importer.mirror_parties TO muster_importer;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE importer.mirrors TO muster_importer;

GRANT SELECT,INSERT,UPDATE ON TABLE importer.positions TO muster_importer;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE importer.quotas TO muster_importer;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE importer.requests TO muster_importer;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE importer.revocations TO muster_importer;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE importer.staged_events TO muster_importer;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE importer.turns TO muster_importer;

GRANT SELECT,INSERT ON TABLE importer.wording TO muster_importer;

GRANT SELECT,DELETE ON TABLE notifier.mended TO muster_notifier;

GRANT SELECT,INSERT,UPDATE ON TABLE notifier.positions TO muster_notifier;

GRANT SELECT,INSERT,UPDATE ON TABLE notifier.progress TO muster_notifier;
GRANT SELECT ON TABLE notifier.progress TO muster_reader;

GRANT SELECT,INSERT ON TABLE notifier.snapshots TO muster_notifier;

GRANT SELECT,INSERT,UPDATE ON TABLE notifier.tenants TO muster_notifier;

GRANT SELECT ON TABLE notifier.visible_progress TO muster_reader;

GRANT SELECT,INSERT ON TABLE ops.audit TO muster_operator;

GRANT SELECT,INSERT,UPDATE ON TABLE ops.dead_letters TO muster_operator;

GRANT SELECT ON TABLE resolver_g1.clients TO muster_reader;

GRANT SELECT ON TABLE resolver.clients TO muster_reader;

GRANT SELECT ON TABLE resolver_g1.co_owner_emails TO muster_reader;

GRANT SELECT ON TABLE resolver.co_owner_emails TO muster_reader;

REVOKE ALL ON TABLE resolver_g1.decisions FROM muster_resolver;
GRANT SELECT,INSERT,REFERENCES,TRIGGER,MAINTAIN ON TABLE resolver_g1.decisions TO muster_resolver;
GRANT SELECT ON TABLE resolver_g1.decisions TO muster_reader;

GRANT SELECT ON TABLE resolver.decisions TO muster_reader;

GRANT SELECT ON TABLE resolver.generations TO muster_resolver;
GRANT SELECT ON TABLE resolver.generations TO muster_reader;

GRANT SELECT ON TABLE resolver_g1.imports TO muster_reader;

GRANT SELECT ON TABLE resolver.imports TO muster_reader;

GRANT SELECT ON TABLE resolver_g1.items TO muster_reader;

GRANT SELECT ON TABLE resolver.items TO muster_reader;

GRANT SELECT ON TABLE resolver_g1.links TO muster_reader;

GRANT SELECT ON TABLE resolver.links TO muster_reader;

GRANT SELECT ON TABLE resolver_g1.members TO muster_reader;

GRANT SELECT ON TABLE resolver.members TO muster_reader;

GRANT SELECT ON TABLE resolver.swap_offsets TO muster_resolver;
GRANT SELECT ON TABLE resolver.swap_offsets TO muster_reader;

GRANT SELECT ON TABLE resolver.swaps TO muster_resolver;
GRANT SELECT ON TABLE resolver.swaps TO muster_reader;
