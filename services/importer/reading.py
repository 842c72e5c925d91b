"""Reading one client and its parties from XPM: what cannot be read of a party costs the party, not the import."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

import httpx
import structlog

from services.importer import metrics
from services.importer.connecting.keys import Keys
from services.importer.domain import Party, Request, parties_to_read, staged
from services.importer.mirror.parties import Mirror
from services.importer.quota.tolls import Road, free
from services.importer.remembered import Remembered
from services.importer.settings import ImporterSettings
from services.importer.wording import Words
from services.importer.xpm.api import Xpm
from services.importer.xpm.calls import Key
from services.importer.xpm.directions import Directions, contradictions
from services.importer.xpm.errors import (
    ClientNotFound,
    Forbidden,
    SourceInvalid,
    SourceUnavailable,
)
from services.importer.xpm.records import Client

log = structlog.get_logger(__name__)


Mirrors = Callable[[Request, Xpm, str], Mirror]
"""The mirror for a request, a client and Xero's id of the practice."""
FEW = 4
"""Parties that are looked up before it is asked again whether a list is worth it by now."""

QUICK = 100
"""Relationships that are staged in a few milliseconds; a client with thousands takes seconds, and a thread."""


class Practices:
    """The practices that are connected."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        keys: Keys,
        settings: ImporterSettings,
        words: Words,
        road: Road = free,
        mirrors: Mirrors | None = None,
        ahead: Callable[[str], int] = lambda _: 0,
    ) -> None:
        self._http = http
        self._road = road
        self._ahead = ahead
        self._called: dict[str, str] = {}
        self._keys = keys
        self._mirrors = mirrors
        self._calls = settings.import_calls
        self._words = words
        self._remembered = Remembered()

    async def read(
        self, request: Request, xpm_client_id: str, now: datetime, *, last_attempt: bool
    ) -> list[bytes]:
        """The whole set of events of an import. Raises the family of `services.importer.xpm.errors`.

        Parties that were read before the import had to wait are not read again. On the `last_attempt` a party that
        XPM cannot hand out is taken for one that cannot be read, as one always is that XPM refuses or does not have.
        """
        key = await self._keys.of(request.tenant_id)
        self._called[request.tenant_id] = key.practice
        try:
            return await self._read(key, request, xpm_client_id, now, lenient=last_attempt)
        except Forbidden as error:
            await self._keys.confirm(key, error)
            raise

    async def _read(
        self, key: Key, request: Request, xpm_client_id: str, now: datetime, *, lenient: bool
    ) -> list[bytes]:
        xpm = Xpm(self._http, key, road=self._road)
        today = now.astimezone(self._keys.zone(request.tenant_id)).date()
        known = self._remembered.of(request.tenant_id, request.import_id)
        reading = _Reading(xpm, xpm_client_id, known, self._calls, lenient=lenient)
        if self._mirrors is None:
            client = await xpm.read_client(xpm_client_id, check_usable)
            await reading.complete(reading.missing(parties_to_read(client, today)))
        else:
            client = await reading.with_mirror(self._mirrors(request, xpm, key.practice), today)
        words = await self._words(request.tenant_id)
        _note_contradictions(request, client, known, words)
        if len(client.relationships) <= QUICK:
            return staged(request, client, known, today, words)
        return await asyncio.to_thread(staged, request, client, known, today, words)

    def ahead(self) -> dict[str, int]:
        """Of tenants whose practice is quick, how many imports are worth having in hand at once."""
        numbers = {tenant_id: self._ahead(practice) for tenant_id, practice in self._called.items()}
        self._called = {tenant_id: self._called[tenant_id] for tenant_id, number in numbers.items() if number}
        return {tenant_id: number for tenant_id, number in numbers.items() if number}

    def forget(self, request: Request) -> None:
        """The import has ended, or is somebody else's now."""
        self._remembered.forget(request.tenant_id, request.import_id)


@dataclass(frozen=True, slots=True)
class _Reading:
    """The parties of one client, as far as they are known."""

    xpm: Xpm
    xpm_client_id: str
    known: dict[str, Party]
    calls: int
    lenient: bool

    async def with_mirror(self, mirror: Mirror, today: date) -> Client:
        """Complete what the mirror knows. Returns the client, fresh."""
        listed = await mirror.client(self.xpm_client_id)
        client = _usable(listed) if listed else await self._read_client()
        needed = parties_to_read(client, today)
        while missing := self.missing(needed):
            self.known.update(await mirror.known(missing))
            missing = self.missing(needed)
            if mirror.listed:
                self.known.update(await mirror.gone(missing))
                await self._look_up(mirror, self.missing(needed))
                break
            await self._look_up(mirror, missing[:FEW])
            listed = await mirror.client(self.xpm_client_id) if len(missing) > FEW else None
            if listed:
                client, needed = _usable(listed), parties_to_read(listed, today)
        return client

    async def _read_client(self) -> Client:
        return await self.xpm.read_client(self.xpm_client_id, check_usable)

    def missing(self, needed: Sequence[str]) -> list[str]:
        """Those that are not known yet."""
        return [party_id for party_id in needed if party_id not in self.known]

    async def _look_up(self, mirror: Mirror, party_ids: Sequence[str]) -> None:
        if party_ids:
            try:
                refused = await self.complete(party_ids)
            except BaseException:
                mirror.not_looked_up()
                raise
            await mirror.looked_up({each: self.known[each] for each in party_ids if each not in refused})

    async def complete(self, party_ids: Sequence[str]) -> Sequence[str]:
        """Read parties with so many calls at once. The first trouble ends it; what was read by then is known.

        Returns those of which it is not known whether XPM has them.
        """
        to_read = iter(party_ids)
        refused: list[str] = []

        async def read() -> None:
            for party_id in to_read:
                try:
                    self.known[party_id] = await self._party(party_id)
                except Forbidden:
                    refused.append(party_id)
                except (SourceInvalid, SourceUnavailable):
                    if not self.lenient:
                        raise
                    refused.append(party_id)

        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(self.calls):
                    group.create_task(read())
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from None
        if refused:
            await self._read_client()  # or else it is not the parties that are at fault
            self.known.update(dict.fromkeys(refused, _stub()))
        return refused

    async def _party(self, party_id: str) -> Party:
        try:
            return Party(await self.xpm.read_client(party_id), datetime.now(UTC))
        except ClientNotFound:
            return _stub()


def _note_contradictions(
    request: Request, client: Client, parties: Mapping[str, Party], words: Directions
) -> None:
    read = {party_id: party.record for party_id, party in parties.items() if party.record is not None}
    found = contradictions(client, read, words)
    if found:
        metrics.CONTRADICTIONS.inc(found)
        log.warning(
            "words_contradict", tenant_id=request.tenant_id, import_id=request.import_id, relationships=found
        )


def check_usable(client: Client) -> None:
    """Raises `ClientNotFound` for a deleted client, `SourceInvalid` for one without a name."""
    if client.deleted:
        raise ClientNotFound("the client is deleted in XPM")
    if client.details.name is None:
        raise SourceInvalid("a client without a name")


def _usable(client: Client) -> Client:
    check_usable(client)
    return client


def _stub() -> Party:
    return Party(record=None, as_of=datetime.now(UTC))
