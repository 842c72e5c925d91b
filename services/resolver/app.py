"""The resolver's composition: its projection, and the way out of what a swap has left."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from services.resolver import emptied
from services.resolver.generations import ROLE
from services.resolver.projection import ResolverProjection
from services.resolver.replaying import outbox
from worker.app import Resources, Service
from worker.leftovers import Leftovers


@asynccontextmanager
async def compose(resources: Resources) -> AsyncIterator[Service]:
    """Put the service together."""
    leftovers = Leftovers(resources.settings, resources.publisher, outbox.publish, role=ROLE)
    may_begin = partial(emptied.check, resources.settings)
    yield Service(ResolverProjection(may_begin), tasks=(leftovers.run,))
