"""The resolver's composition: its projection, and the way out of what a swap has left."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from services.resolver.generations import ROLE
from services.resolver.projection import ResolverProjection
from services.resolver.replaying import outbox
from worker.app import Resources, Service
from worker.leftovers import Leftovers


@asynccontextmanager
async def compose(resources: Resources) -> AsyncIterator[Service]:
    """Put the service together."""
    leftovers = Leftovers(resources.settings, resources.publisher, outbox.publish, role=ROLE)
    yield Service(ResolverProjection(), tasks=(leftovers.run,))
