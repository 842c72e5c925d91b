"""The resolver's composition: its projection, and nothing else."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from services.resolver.projection import ResolverProjection
from worker.app import Resources, Service


@asynccontextmanager
async def compose(_resources: Resources) -> AsyncIterator[Service]:
    """Put the service together."""
    yield Service(ResolverProjection())
