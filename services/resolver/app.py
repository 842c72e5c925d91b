"""The resolver's composition: its projection, and the way out of what a swap has left."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from services.resolver.projection import ResolverProjection
from services.resolver.replaying.outbox import Outbox
from worker.app import Resources, Service


@asynccontextmanager
async def compose(resources: Resources) -> AsyncIterator[Service]:
    """Put the service together."""
    outbox = Outbox(resources.settings, resources.publisher)
    yield Service(ResolverProjection(), tasks=(outbox.run,))
