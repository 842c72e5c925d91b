"""The rows of connections, and the facts that change with them in one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, TypeAlias
from uuid import uuid4

import orjson

from services.importer import domain
from services.importer.connecting.identity import TokenSet
from services.importer.connecting.keyring import Keyring
from services.importer.domain import ConnectionState
from services.importer.xpm.records import Connection as Practice
from worker import queries

if TYPE_CHECKING:
    from asyncpg import Pool, Record
    from asyncpg.pool import PoolConnectionProxy

    from worker.database import Database

    Connected: TypeAlias = "Database | PoolConnectionProxy[Record]"
    Anywhere: TypeAlias = "Connected | Pool[Record]"

QUERIES = queries.load("services.importer.connecting", "store.sql")


@dataclass(frozen=True, slots=True)
class Row:
    """A tenant's connection. `good_for` says for how many seconds the access token need not be renewed."""

    tenant_id: str
    state: ConnectionState
    connection_id: str
    xpm_tenant_id: str
    practice_name: str
    tokens: bytes | None = field(repr=False)
    changed_at: datetime
    to_renew: bool
    good_for: float


@dataclass(frozen=True, slots=True)
class Choice:
    """The practices that a consent reaches, and its tokens."""

    practices: tuple[Practice, ...]
    tokens: bytes = field(repr=False)
    good_for: timedelta


async def find(database: "Anywhere", tenant_id: str) -> Row | None:
    row = await database.fetchrow(QUERIES.connection, tenant_id)
    return Row(**row) if row else None


async def hold(database: "Connected", tenant_id: str) -> Row | None:
    """The connection, which nobody else changes before the end of the transaction."""
    row = await database.fetchrow(QUERIES.connection_alone, tenant_id)
    return Row(**row) if row else None


async def renew(database: "Connected", keyring: Keyring, tenant_id: str, tokens: TokenSet) -> None:
    sealed = tokens.sealed(keyring, tenant_id)
    await database.execute(QUERIES.renew, tenant_id, sealed, tokens.renew_after)


async def connect(
    database: "Connected", tenant_id: str, practice: Practice, tokens: bytes, good_for: timedelta, by: str
) -> None:
    """The practice is connected, and the choice it may come from is over."""
    row = await database.fetchrow(
        QUERIES.connect,
        tenant_id,
        practice.connection_id,
        practice.xero_tenant_id,
        practice.practice_name,
        tokens,
        good_for,
    )
    await database.execute(QUERIES.end_choice, tenant_id)
    await _tell(database, row, by, None)


async def lose(
    database: "Connected", tenant_id: str, state: ConnectionState, by: str | None, message: str | None
) -> None:
    """The connection is lost or ended; nothing happens if that is so already."""
    row = await database.fetchrow(QUERIES.lose, tenant_id, state)
    if row is not None:
        await _tell(database, row, by, message)


async def choice(database: "Anywhere", tenant_id: str) -> tuple[Practice, ...]:
    """What the tenant may choose from; nothing if there is no choice to be made."""
    practices = await database.fetchval(QUERIES.choice, tenant_id)
    return _practices(practices) if practices else ()


async def hold_choice(database: "Connected", tenant_id: str) -> Choice | None:
    """The same with its tokens, which nobody else takes before the end of the transaction."""
    row = await database.fetchrow(QUERIES.choice_alone, tenant_id)
    return Choice(_practices(row["practices"]), row["tokens"], row["good_for"]) if row else None


async def offer(
    database: "Connected", keyring: Keyring, tenant_id: str, practices: Sequence[Practice], tokens: TokenSet
) -> None:
    """Keep the tokens until one of the practices is chosen."""
    listed = orjson.dumps([practice.model_dump() for practice in practices]).decode()
    sealed = tokens.sealed(keyring, tenant_id)
    await database.execute(QUERIES.offer, tenant_id, sealed, tokens.renew_after, listed)


async def _tell(database: "Connected", row: "Record | None", by: str | None, message: str | None) -> None:
    assert row is not None
    fact = domain.connection_changed(**row, event_id=str(uuid4()), changed_by=by, message=message)
    await database.execute(QUERIES.tell, row["tenant_id"], fact)


def _practices(listed: str) -> tuple[Practice, ...]:
    return tuple(Practice(**each) for each in orjson.loads(listed))
