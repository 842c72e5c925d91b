"""The notifier's composition: the fold, the list and the streams that show it, and the upkeep of its tables."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from services.notifier.access import Access
from services.notifier.catchup import CatchUp
from services.notifier.projection import NotifierProjection
from services.notifier.reads import Reads
from services.notifier.rebuilding import outbox
from services.notifier.routing import routes
from services.notifier.stream import Streams
from services.notifier.tail import Tail
from services.notifier.upkeep import Upkeep
from worker.app import Resources, Service
from worker.database import open_pool
from worker.leftovers import Leftovers
from worker.tokens import Tokens

READERS = 8


@asynccontextmanager
async def compose(resources: Resources) -> AsyncIterator[Service]:
    """Put the service together."""
    settings = resources.settings
    access = Access(Tokens.of(settings))
    reading = {"role": "muster_reader", "search_path": "notifier"}
    async with open_pool(settings, "notifier-readers", READERS, **reading) as pool:
        reads, tail = Reads(pool), Tail(settings)
        resources.publisher.listen(tail.hear)
        leftovers = Leftovers(
            settings, resources.publisher, outbox.publish, role="muster_notifier", search_path="notifier"
        )
        yield Service(
            NotifierProjection(),
            routes=routes(reads, Streams(reads, tail, CatchUp(settings)), access),
            tasks=(tail.run, Upkeep(settings).run, leftovers.run),
        )
