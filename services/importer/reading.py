"""Reading one client and its parties from XPM: what cannot be read of a party costs the party, not the import."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx
import structlog

from services.importer import metrics
from services.importer.connecting.keys import Keys
from services.importer.domain import Party, Request, parties_to_read, staged
from services.importer.quota.tolls import Road, free
from services.importer.remembered import Remembered
from services.importer.settings import ImporterSettings
from services.importer.xpm.api import Xpm
from services.importer.xpm.calls import Key
from services.importer.xpm.directions import STANDARD, Directions, contradictions, corrected
from services.importer.xpm.errors import (
    ClientNotFound,
    Forbidden,
    SourceInvalid,
    SourceUnavailable,
)
from services.importer.xpm.records import Client

log = structlog.get_logger(__name__)


class Practices:
    """The practices that are connected."""

    def __init__(
        self, http: httpx.AsyncClient, keys: Keys, settings: ImporterSettings, road: Road = free
    ) -> None:
        self._http = http
        self._road = road
        self._keys = keys
        self._calls = settings.import_calls
        self._words = {tenant: corrected(own) for tenant, own in settings.xpm_directions.items()}
        self._remembered = Remembered()

    async def read(
        self, request: Request, xpm_client_id: str, now: datetime, *, last_attempt: bool
    ) -> list[bytes]:
        """The whole set of events of an import. Raises the family of `services.importer.xpm.errors`.

        Parties that were read before the import had to wait are not read again. On the `last_attempt` a party that
        XPM cannot hand out is taken for one that cannot be read, as one always is that XPM refuses or does not have.
        """
        key = await self._keys.of(request.tenant_id)
        try:
            return await self._read(key, request, xpm_client_id, now, lenient=last_attempt)
        except Forbidden:
            await self._keys.confirm(key)
            raise

    async def _read(
        self, key: Key, request: Request, xpm_client_id: str, now: datetime, *, lenient: bool
    ) -> list[bytes]:
        xpm = Xpm(self._http, key, road=self._road)
        client = await _read_client(xpm, xpm_client_id)
        today = now.astimezone(self._keys.zone(request.tenant_id)).date()
        wanted = parties_to_read(client, today)
        known = self._remembered.of(request.tenant_id, request.import_id)
        missing = [party_id for party_id in wanted if party_id not in known]
        await _Reading(xpm, xpm_client_id, known).complete(missing, self._calls, lenient=lenient)
        words = self._words.get(request.tenant_id, STANDARD)
        _note_contradictions(request, client, known, words)
        return await asyncio.to_thread(
            staged, request, client, known, today, words
        )  # a large client takes seconds

    def forget(self, request: Request) -> None:
        """The import has ended, or is somebody else's now."""
        self._remembered.forget(request.tenant_id, request.import_id)


@dataclass(frozen=True, slots=True)
class _Reading:
    """The parties of one client, as far as they are known."""

    xpm: Xpm
    xpm_client_id: str
    known: dict[str, Party]

    async def complete(self, party_ids: Sequence[str], calls: int, *, lenient: bool) -> None:
        """Read parties with so many calls at once. The first trouble ends it; what was read by then is known."""
        to_read = iter(party_ids)
        refused: list[str] = []

        async def read() -> None:
            for party_id in to_read:
                try:
                    self.known[party_id] = await self._party(party_id)
                except Forbidden:
                    refused.append(party_id)
                except (SourceInvalid, SourceUnavailable):
                    if not lenient:
                        raise
                    refused.append(party_id)

        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(calls):
                    group.create_task(read())
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from None
        if refused:
            await _read_client(
                self.xpm, self.xpm_client_id
            )  # or else it is not the parties that are at fault
            self.known.update(dict.fromkeys(refused, _stub()))

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


async def _read_client(xpm: Xpm, xpm_client_id: str) -> Client:
    client = await xpm.read_client(xpm_client_id)
    if client.deleted:
        raise ClientNotFound("the client is deleted in XPM")
    if client.details.name is None:
        raise SourceInvalid("a client without a name")
    return client


def _stub() -> Party:
    return Party(record=None, as_of=datetime.now(UTC))
