"""The importer's composition: requests come in by its projection, and its workers work them off."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from math import ceil
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import httpx

from services.importer.api.clients import Clients
from services.importer.api.routing import routes
from services.importer.connecting import upkeep
from services.importer.connecting.ending import Ending
from services.importer.connecting.identity import Identity
from services.importer.connecting.journey import Journey
from services.importer.connecting.keyring import Keyring
from services.importer.connecting.keys import Keys, Vault
from services.importer.connecting.telling import Telling
from services.importer.course import Patience
from services.importer.mirror.erasing import Erasing
from services.importer.mirror.parties import Freshness, Mirror
from services.importer.mirror.store import Store
from services.importer.projection import ImporterProjection
from services.importer.queue import Queue, Rules
from services.importer.quota import budget
from services.importer.quota.ledger import Ledger
from services.importer.quota.tolls import Tolls
from services.importer.quota.windows import Rule
from services.importer.reading import Mirrors, Practices
from services.importer.settings import ImporterSettings
from services.importer.steps import Steps
from services.importer.wakening import listen
from services.importer.wording import Wording
from services.importer.workers import Workers
from worker.app import Resources, Service
from worker.database import open_pool

if TYPE_CHECKING:
    from asyncpg import Pool, Record

POOL_SIZE = 4
ABANDONED_TRANSACTION = "10s"
"""A process that hangs while it claims keeps all others from claiming for no longer than this."""
TOKENS_POOL_SIZE = 8
WHILE_XERO_ANSWERS = "60s"
"""Two attempts to renew a token take no longer; whoever hangs meanwhile loses the lock on its row."""
NO_LIMIT = httpx.Limits(max_connections=None, max_keepalive_connections=50)
"""What is in hand is bounded, per practice and altogether; a pool of connections would be one more queue for all."""


@asynccontextmanager
async def compose(resources: Resources) -> AsyncIterator[Service]:
    """Put the service together."""
    settings, publisher = resources.settings, resources.publisher
    assert isinstance(settings, ImporterSettings)
    session = {
        "role": "muster_importer",
        "search_path": "importer",
        "idle_in_transaction_session_timeout": ABANDONED_TRANSACTION,
    }
    async with (
        httpx.AsyncClient(limits=NO_LIMIT) as http,
        open_pool(settings, "importer-workers", POOL_SIZE, **session) as pool,
        Tolls(Ledger(pool, quota_rules(settings))) as tolls,
        open_pool(
            settings, "importer-tokens", TOKENS_POOL_SIZE, **_while_xero_answers(session)
        ) as tokens_pool,
    ):
        telling = Telling(pool, publisher, settings.xpm_connections)
        vault = _vault(settings, tokens_pool, http, telling)
        keys = Keys(settings.xpm_connections, settings.xpm_url, vault, ZoneInfo(settings.xpm_time_zone))
        rules, patience = _rules(settings), _patience(settings)
        queue = Queue(pool, rules)
        store = Store(pool, rules.lease)
        wording = Wording(pool, settings.xpm_directions)
        practices = Practices(
            http, keys, settings, wording.table, tolls.road("import"), _mirrors(settings, store), tolls.ahead
        )
        steps = Steps(queue, practices, publisher, patience)
        workers = Workers(queue, steps, settings.imports_at_once, practices.ahead)
        ending = Ending(vault) if vault else None
        journey = Journey(pool, settings, vault, ending)

        async def be_woken() -> None:
            await listen(settings, workers.wake)

        async def encrypt_anew() -> None:
            assert vault is not None
            await upkeep.run(pool, vault.keyring)

        async def erase_mirrors() -> None:
            await Erasing(store, settings.xpm_connections, keep=settings.xpm_mirror).run()

        yield Service(
            ImporterProjection(),
            routes=routes(
                journey,
                Clients(http, keys, wording.table, tolls.road("person")),
                wording,
                settings.internal_token,
            ),
            tasks=(
                workers.run,
                be_woken,
                telling.tell,
                erase_mirrors,
                *((ending.run, encrypt_anew) if ending else ()),
            ),
        )


def _vault(
    settings: ImporterSettings, pool: "Pool[Record]", http: httpx.AsyncClient, telling: Telling
) -> Vault | None:
    """Where tokens are kept, if practices can connect themselves."""
    application = settings.application
    if application is None:
        return None
    return Vault(
        pool, Keyring(settings.keys), Identity(http, application), http, settings.xpm_url, telling.wake
    )


def _while_xero_answers(session: Mapping[str, str]) -> dict[str, str]:
    return {**session, "idle_in_transaction_session_timeout": WHILE_XERO_ANSWERS}


def _rules(settings: ImporterSettings) -> Rules:
    return Rules(
        lease=timedelta(seconds=settings.import_lease_seconds),
        per_tenant=settings.imports_per_practice,
        deadline=timedelta(seconds=settings.import_deadline_seconds),
    )


def _mirrors(settings: ImporterSettings, store: Store) -> Mirrors | None:
    if not settings.xpm_mirror:
        return None
    freshness = Freshness(
        fresh=timedelta(seconds=settings.xpm_mirror_fresh_seconds),
        whole=timedelta(seconds=settings.xpm_mirror_whole_seconds),
        imports=settings.xpm_list_imports,
    )
    return partial(Mirror, store, freshness)


def _patience(settings: ImporterSettings) -> Patience:
    return Patience(
        trouble=timedelta(seconds=settings.import_retry_seconds),
        altogether=timedelta(seconds=settings.import_deadline_seconds),
    )


def quota_rules(settings: ImporterSettings) -> budget.Rules:
    """What XPM allows, as it is configured."""

    def rule(allowed: int, seconds: float) -> Rule:
        return Rule(allowed, seconds, ceil(allowed * settings.xpm_kept_for_people_percent / 100))

    return budget.Rules(
        at_once=settings.xpm_calls_at_once,
        minute=rule(settings.xpm_calls_a_minute, settings.xpm_minute_seconds),
        day=rule(settings.xpm_calls_a_day, settings.xpm_day_seconds),
        lease_seconds=settings.import_lease_seconds,
    )
