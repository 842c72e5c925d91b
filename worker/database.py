"""Connections to Postgres: one or two held by the consumer loop, a small pool for everything that only looks."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeAlias

import asyncpg

from worker.settings import Settings

if TYPE_CHECKING:
    from asyncpg import Connection, Pool, Record

Database: TypeAlias = "Connection[Record]"

CONNECT_SECONDS = 10.0
COMMAND_SECONDS = 60.0
ABANDONED_TRANSACTION = "90s"
"""Longer than a publication inside a transaction may take; then the locks of a process that hangs are freed."""

PLANS: Mapping[str, Any] = {
    "plan_cache_mode": "force_generic_plan",
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
}
"""A loop's statements find their rows by key, so each is planned once, and for that. Left to itself, Postgres plans a
statement over few keys anew each time, which takes longer than its work."""
FIRST_PLANS_SECONDS, PLANS_SECONDS = 0.25, 60.0
"""After which plans are made anew, twice as long each time: one that was made while a table was empty may use the wrong
one of two indexes."""

TROUBLE = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
"""What a connection that is gone may raise."""


async def connect(
    settings: Settings,
    application: str,
    limit: float = CONNECT_SECONDS,
    statement_seconds: float | None = COMMAND_SECONDS,
    **session: str,
) -> Database:
    """Open a connection within `limit` seconds; `session` are its server settings, such as `role`.

    A statement may take `statement_seconds`, None for as long as it likes.
    """
    own = {"timeout": limit, "command_timeout": statement_seconds}
    return await asyncpg.connect(**_arguments(settings, application, session) | own)


@asynccontextmanager
async def open_pool(
    settings: Settings, application: str, size: int, **session: str
) -> "AsyncIterator[Pool[Record]]":
    """Have a pool. `session` (`role`, `search_path` ...) stays in force however often a connection is lent.

    Whoever borrows a connection leaves nothing in its session: no setting, no lock, no listener beyond a transaction.
    An open transaction is rolled back; a round trip to tidy up what nobody leaves would cost more than most statements.

    Connections are opened when they are asked for: that a database is away is the trouble of whoever asks.
    """
    async with asyncpg.create_pool(
        min_size=0,
        max_size=size,
        reset=_leave_as_it_is,
        **_arguments(settings, application, session),
    ) as pool:
        yield pool


class HeldConnections:
    """The connections of a loop: opened and prepared when needed, given up together after trouble."""

    def __init__(
        self,
        settings: Settings,
        application: str,
        prepare: Callable[[Database], Awaitable[None]],
        number: int = 1,
    ) -> None:
        self._settings = settings
        self._application = application
        self._prepare = prepare
        self._databases: list[Database | None] = [None] * number
        self._planned_at = time.monotonic()
        self._plans_seconds = FIRST_PLANS_SECONDS

    async def first(self) -> Database:
        """One connection, always the same, ready for use. Raises what connecting or preparing raises."""
        return await self._get(0)

    async def all(self) -> Sequence[Database]:
        """All of them, ready for use. Raises what connecting, preparing and the database raise."""
        databases = [await self._get(number) for number in range(len(self._databases))]
        if time.monotonic() - self._planned_at > self._plans_seconds:
            for database in databases:
                await database.execute("DISCARD PLANS")
            self._planned_at = time.monotonic()
            self._plans_seconds = min(2 * self._plans_seconds, PLANS_SECONDS)
        return databases

    async def close(self) -> None:
        """Close the connections, at once where one does not answer."""
        open_ones = [database for database in self._databases if database is not None]
        self._databases = [None] * len(self._databases)
        for database in open_ones:
            try:
                await database.close(timeout=2)
            except TROUBLE:
                database.terminate()

    @property
    def is_lost(self) -> bool:
        """Whether there was a connection, and it is gone: whatever was raised then is no record's fault."""
        return any(database is not None and is_lost(database) for database in self._databases)

    async def _get(self, number: int) -> Database:
        database = self._databases[number]
        if database is None or database.is_closed():
            database = await connect(self._settings, self._application, **PLANS)
            try:
                await self._prepare(database)
            except BaseException:
                database.terminate()
                raise
            self._databases[number] = database
        return database


def is_lost(database: Database) -> bool:
    """Whether a connection that is between transactions can't be used any more.

    asyncpg may see the end of a session later than its last words; until then a transaction seems to be open.
    """
    return database.is_closed() or database.is_in_transaction()


async def _leave_as_it_is(_database: Any) -> None:
    pass


def _arguments(settings: Settings, application: str, session: dict[str, str]) -> dict[str, Any]:
    return {
        "dsn": settings.postgres_dsn.get_secret_value(),
        "timeout": CONNECT_SECONDS,
        "command_timeout": COMMAND_SECONDS,
        "server_settings": {
            "application_name": f"muster-{application}",
            "jit": "off",
            "idle_in_transaction_session_timeout": ABANDONED_TRANSACTION,
            **session,
        },
    }
