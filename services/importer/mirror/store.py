"""The records in Postgres: of a party what an item needs, and for imports that wait their client's whole record.

Everything of a tenant goes with its connection, or when it is connected to another practice.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain
from operator import itemgetter
from typing import TYPE_CHECKING
from uuid import UUID

from schemas.people import PersonDetails
from services.importer.domain import Party
from services.importer.mirror.checks import Checks
from services.importer.together import Together
from services.importer.xpm.records import Client, Details
from worker import queries

if TYPE_CHECKING:
    from asyncpg import Pool, Record

QUERIES = queries.load("services.importer.mirror", "store.sql")
LISTS_LEFT_ALONE = timedelta(hours=1)
COUNTED = 100
IMPORTS_AT_ONCE = 100
PARTIES_AT_ONCE = 5_000
"""What one statement looks for."""

_Whose = tuple[str, str, str, str | None]
"""A tenant's id, Xero's id of the practice, an import's id, and that of its client where it can have one."""
_Wanted = tuple[str, Sequence[str], datetime]
"""A tenant's id, parties, and since when they are to be known."""
_Found = tuple[str, str, Client | None, datetime]
"""A tenant's id, that of a client, what XPM has under it, and when that was so."""

_NEEDED = {*PersonDetails.model_fields, "postal_address"} & {*Details.model_fields}


@dataclass(frozen=True, slots=True)
class State:
    """What is known of a mirror, for one import, and when that was asked for. `waiting`: imports of the practice.

    `covered`: a list of everything has begun since the import was asked for. `client`: as that list brought it.
    """

    client: Client | None
    full_at: datetime | None
    fresh_at: datetime | None
    sees_archived: bool
    checks: int
    lookups: int
    now: datetime
    asked_at: datetime
    lists_work: bool
    covered: bool
    waiting: int


class Store:
    """The mirrors of all tenants; what several imports ask for at the same time is one statement."""

    def __init__(self, pool: "Pool[Record]", lease: timedelta) -> None:
        self._pool = pool
        self.lease = lease
        self.checks = Checks()
        self._states = Together(self._find_states, IMPORTS_AT_ONCE)
        self._finds = Together(self._keep, PARTIES_AT_ONCE, len)
        self._parties = Together(self._find_parties, PARTIES_AT_ONCE, lambda wanted: len(wanted[1]))

    async def state(
        self, tenant_id: str, xpm_tenant_id: str, import_id: str, xpm_client_id: str | None
    ) -> State:
        """The state of the tenant's mirror of that practice, which begins empty."""
        while True:
            state = await self._states((tenant_id, xpm_tenant_id, import_id, xpm_client_id))
            if state is not None:
                return state
            await self._pool.execute(QUERIES.clear, tenant_id, xpm_tenant_id)
            await self._pool.execute(QUERIES.open, tenant_id, xpm_tenant_id)

    async def begin(self, tenant_id: str, reader: UUID) -> datetime | None:
        """When the reading begins, or None if somebody else is at it."""
        begun: datetime | None = await self._pool.fetchval(QUERIES.begin, tenant_id, reader, self.lease)
        return begun

    async def go_on(self, tenant_id: str, reader: UUID) -> None:
        await self._pool.execute(QUERIES.go_on, tenant_id, reader, self.lease)

    async def end(self, tenant_id: str, reader: UUID) -> None:
        await self._pool.execute(QUERIES.end, tenant_id, reader)

    async def failed(self, tenant_id: str) -> None:
        await self._pool.execute(QUERIES.failed, tenant_id, LISTS_LEFT_ALONE)

    async def wanted(self, tenant_id: str) -> set[str]:
        """The clients whose imports wait."""
        return {row["xpm_client_id"] for row in await self._pool.fetch(QUERIES.wanted, tenant_id)}

    async def keep(self, tenant_id: str, clients: Sequence[Client], as_of: datetime) -> None:
        """Keep what items need of these records."""
        await self._keep([[(tenant_id, each.xpm_client_id, each, as_of) for each in clients]])

    async def keep_found(self, tenant_id: str, parties: Mapping[str, Party]) -> None:
        """Keep what an import has found out about parties, also that XPM does not have them."""
        await self._finds(
            [
                (
                    tenant_id,
                    party.record.xpm_client_id if party.record else party_id,
                    party.record,
                    party.as_of,
                )
                for party_id, party in parties.items()
                if party.as_of is not None
            ]
        )

    async def keep_whole(self, tenant_id: str, clients: Sequence[Client], read_at: datetime) -> None:
        """Keep whole records for the imports that wait."""
        whole = {each.xpm_client_id: each.model_dump_json(exclude={"remarks"}) for each in clients}
        await self._pool.execute(QUERIES.keep_clients, tenant_id, list(whole), list(whole.values()), read_at)

    async def read_whole(self, tenant_id: str, begun: datetime, *, sees_archived: bool) -> None:
        await self._pool.execute(QUERIES.read_whole, tenant_id, begun, sees_archived)

    async def read_changes(self, tenant_id: str, begun: datetime) -> None:
        await self._pool.execute(QUERIES.read_changes, tenant_id, begun)

    async def looked_up(self, tenant_id: str, lookups: int, checks: int) -> None:
        await self._pool.execute(QUERIES.looked_up, tenant_id, lookups, checks)

    async def parties(self, tenant_id: str, party_ids: Sequence[str], since: datetime) -> dict[str, Party]:
        """Those that are known as they were since then."""
        return await self._parties((tenant_id, party_ids, since))

    async def erase(self, given: Iterable[str]) -> None:
        """Erase everything of tenants that are not connected; `given` are those whose connection is configured."""
        await self._pool.execute(QUERIES.erase, list(given))
        await self._pool.execute(QUERIES.forget_clients)

    async def erase_all(self) -> None:
        await self._pool.execute(QUERIES.erase_all)

    async def _keep(self, some: Sequence[Sequence[_Found]]) -> list[None]:
        found = sorted(chain.from_iterable(some), key=itemgetter(3))
        latest = {(tenant_id, party_id): (record, as_of) for tenant_id, party_id, record, as_of in found}
        if latest:
            await self._pool.execute(
                QUERIES.keep_parties,
                [tenant_id for tenant_id, _ in latest],
                [party_id for _, party_id in latest],
                [_details(each) for each, _ in latest.values()],
                [each is not None and each.archived for each, _ in latest.values()],
                [each is not None and each.deleted for each, _ in latest.values()],
                [as_of for _, as_of in latest.values()],
            )
        return [None] * len(some)

    async def _find_states(self, some: Sequence[_Whose]) -> list[State | None]:
        found: list[State | None] = [None] * len(some)
        rows = await self._pool.fetch(QUERIES.state, *map(list, zip(*some, strict=True)), COUNTED)
        for place, record, *state in rows:
            client = None if record is None else Client.model_validate_json(record)
            found[place - 1] = State(client, *state)
        return found

    async def _find_parties(self, some: Sequence[_Wanted]) -> list[dict[str, Party]]:
        found: list[dict[str, Party]] = [{} for _ in some]
        places = [place for place, (_, party_ids, _) in enumerate(some) for _ in party_ids]
        if places:
            rows = await self._pool.fetch(
                QUERIES.parties,
                places,
                [tenant_id for tenant_id, party_ids, _ in some for _ in party_ids],
                [party_id for _, party_ids, _ in some for party_id in party_ids],
                [since for _, party_ids, since in some for _ in party_ids],
            )
            for place, party_id, *party in rows:
                found[place][party_id] = _party(party_id, *party)
        return found


def _details(client: Client | None) -> str | None:
    """What an item needs; of a deleted client nothing is."""
    if client is None:
        return None
    needed = None if client.deleted else _NEEDED
    return client.details.model_dump_json(include=needed or set(), exclude_none=True)


def _party(xpm_client_id: str, details: str | None, archived: bool, deleted: bool, as_of: datetime) -> Party:  # noqa: FBT001 - the columns of a row
    if details is None:
        return Party(None, as_of)
    record = Client(
        xpm_client_id=xpm_client_id,
        details=Details.model_validate_json(details),
        archived=archived,
        deleted=deleted,
    )
    return Party(record, as_of)
