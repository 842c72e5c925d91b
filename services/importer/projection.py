"""The importer as the consumer loop sees it: requests are stored together with their position, and worked off later."""

from collections.abc import Sequence

from schemas.codec import Event
from schemas.imports import ImportRequested
from schemas.topics import REQUESTS, Topic
from services.importer import queue
from services.importer.domain import Request
from worker.failures import Unacceptable
from worker.projection import Database, Effects
from worker.records import Incoming, Outgoing, Span


class IdReused(Unacceptable):
    """Another request was made under this id. Publish the request under an id of its own."""

    why = "id_reused"
    detail = "another request was made under this id"


class ImporterProjection:
    """The table of requests as a fold of `muster.requests`."""

    group = "importer"
    topics: Sequence[Topic] = (REQUESTS,)
    lanes = 1
    """One statement a batch: there is nothing to gain."""
    at_once = 0
    """What it stores tells which requests reuse an id."""
    apart = 0.0

    async def prepare(self, database: Database) -> None:
        await database.execute("SET ROLE muster_importer")
        await database.execute("SET search_path TO importer")

    async def check(self, database: Database) -> None:
        """Its tables are always the same ones."""

    async def apply(self, database: Database, batch: Sequence[Incoming]) -> Effects:
        requests = [
            (incoming, _request(incoming.content, incoming.timestamp), incoming.content.content)
            for incoming in batch
            if isinstance(incoming.content, Event)
        ]
        if not requests:
            return Effects()
        known = await queue.take_in(database, [(request, content) for _, request, content in requests])
        return Effects(
            failed=[
                (incoming, IdReused())
                for incoming, request, content in requests
                if known[request.tenant_id, request.import_id] != content
            ]
        )

    async def unpublished(self, _database: Database, _span: Span) -> Sequence[Outgoing]:
        """Nothing: what follows from a request is published by the workers."""
        return ()


def _request(event: Event, requested_at: int) -> Request:
    data = event.data
    assert isinstance(data, ImportRequested)
    return Request(
        tenant_id=event.tenant_id,
        import_id=event.id,
        client_id=data.client_id,
        xpm_client_id=data.xpm_client_id,
        requested_by=data.requested_by,
        bulk_id=data.bulk_id,
        requested_at=requested_at,
    )
