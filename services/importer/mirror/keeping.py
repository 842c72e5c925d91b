"""Reading lists from XPM into a mirror: everything, or what has changed; one process at a time for each practice.

Everything is two lists: of what is current, with relationships, and of what ever changed, which brings archived and
deleted records with their marks; with relationships too where an import waits for a client that the first did not
bring. The second list is read for the marks alone: a record that the first one has brought stays as that brought it,
and is as old as the reading says it is. A record that was read later wins.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import aclosing, asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Self
from uuid import UUID, uuid4

import structlog

from services.importer.mirror import metrics
from services.importer.mirror.store import Store
from services.importer.xpm.api import Xpm
from services.importer.xpm.errors import SourceInvalid, SourceUnavailable, XpmError
from services.importer.xpm.records import Client
from worker.failures import describe

log = structlog.get_logger(__name__)

AT_ONCE = 500
"""Records of one statement."""
OVERLAP = timedelta(minutes=10)
"""Changes are asked for from so long before the last reading began: clocks differ, and seconds are cut off."""
EVER = datetime(2000, 1, 1, tzinfo=UTC)
WAIT_SECONDS = 0.25


class Keeping:
    """Keeps the mirror of one tenant."""

    def __init__(self, store: Store, tenant_id: str, xpm: Xpm) -> None:
        self._store = store
        self._tenant_id = tenant_id
        self._xpm = xpm

    async def read_everything(self) -> bool:
        """Read the practice as a whole; or wait a moment, while somebody else does. Whether it was read here."""
        async with self._reading("everything") as begun:
            if begun is not None:
                wanted = await self._store.wanted(self._tenant_id)
                brought: set[str] = set()
                await self._read(begun, wanted, brought, detailed=True, since=None)
                marked = await self._read(begun, wanted, brought, detailed=bool(wanted), since=EVER)
                await self._store.read_whole(self._tenant_id, begun, sees_archived=marked > 0)
        return begun is not None

    async def read_changes(self, since: datetime) -> bool:
        """Read what has changed; or wait a moment, while somebody else does. Whether it was read here."""
        async with self._reading("changes") as begun:
            if begun is not None:
                await self._read(begun, set(), set(), detailed=False, since=since - OVERLAP)
                await self._store.read_changes(self._tenant_id, begun)
        return begun is not None

    async def _read(
        self, begun: datetime, wanted: set[str], brought: set[str], *, detailed: bool, since: datetime | None
    ) -> int:
        """Keep what a list brings that was not `brought` yet, and take it off `wanted`. Returns how much was marked."""
        marked, batch = 0, list[Client]()
        listed = self._xpm.list_clients(
            detailed=detailed, modified_since=since, tied=wanted, known=frozenset(brought) or None
        )
        async with _Behind() as behind, aclosing(listed) as clients:
            async for client in clients:
                marked += client.archived or client.deleted
                batch.append(client)
                if len(batch) == AT_ONCE:
                    await behind.do(partial(self._keep, batch, wanted, brought, begun))
                    batch = []
            await behind.do(partial(self._keep, batch, wanted, brought, begun))
        return marked

    async def _keep(
        self, clients: list[Client], wanted: set[str], brought: set[str], begun: datetime
    ) -> None:
        await self._store.keep(self._tenant_id, clients, begun)
        brought.update(client.xpm_client_id for client in clients)
        whole = [client for client in clients if client.xpm_client_id in wanted]
        if whole:
            await self._store.keep_whole(self._tenant_id, whole, begun)
            wanted.difference_update(client.xpm_client_id for client in whole)

    @asynccontextmanager
    async def _reading(self, kind: str) -> AsyncIterator[datetime | None]:
        """The time at which this process began to read the practice; None after somebody else has read it."""
        reader = uuid4()
        begun = await self._store.begin(self._tenant_id, reader)
        if begun is None:
            await asyncio.sleep(WAIT_SECONDS)
            yield None
            return
        extending = asyncio.create_task(self._extend(reader))
        try:
            yield begun
            metrics.READINGS.labels(kind, "read").inc()
        except (SourceUnavailable, SourceInvalid) as error:
            await self._failed(kind, error)
            raise
        finally:
            extending.cancel()
            await self._store.end(self._tenant_id, reader)

    async def _failed(self, kind: str, error: XpmError) -> None:
        metrics.READINGS.labels(kind, "failed").inc()
        log.warning(
            "xpm_list_failed",
            tenant_id=self._tenant_id,
            kind=kind,
            detail=error.detail,
            correlation_id=error.correlation_id,
        )
        await self._store.failed(self._tenant_id)

    async def _extend(self, reader: UUID) -> None:
        while True:
            await asyncio.sleep(self._store.lease.total_seconds() / 3)
            try:
                await self._store.go_on(self._tenant_id, reader)
            except Exception as error:  # noqa: BLE001 - it runs out, and somebody else reads too
                log.warning("reading_not_extended", error=describe(error))


class _Behind:
    """Has one thing done while more is read; a context in which everything is done in the end, or given up."""

    def __init__(self) -> None:
        self._doing: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            await self._done()
        elif self._doing is not None:
            self._doing.cancel()
            await asyncio.gather(self._doing, return_exceptions=True)

    async def do(self, thing: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Begin with it when the one before is done. Raises what that one raised."""
        await self._done()
        self._doing = asyncio.create_task(thing())

    async def _done(self) -> None:
        doing, self._doing = self._doing, None
        if doing is not None:
            await doing
