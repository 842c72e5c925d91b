"""The embedded pair as parts of a stack: started on entry, stopped in good order on exit."""

import contextlib
import os
import shutil
from collections.abc import AsyncIterator, Callable

from stack.broker import Broker
from stack.claims import locked
from stack.errors import StackBusy
from stack.kafka import EmbeddedKafka
from stack.postgres import EmbeddedPostgres
from stack.settings import StackSettings


@contextlib.asynccontextmanager
async def kafka(settings: StackSettings, tell: Callable[[str], None]) -> AsyncIterator[str]:
    """Run a broker; its address."""
    server = EmbeddedKafka(settings.folder / "kafka", Broker(settings.programs, tell, settings.maven))
    async with started(server):
        yield server.address


@contextlib.asynccontextmanager
async def postgres(settings: StackSettings) -> AsyncIterator[str]:
    """Run a server; its DSN."""
    server = EmbeddedPostgres(settings.folder / "postgres")
    async with started(server):
        yield server.dsn


def delete_data(settings: StackSettings) -> None:
    """Delete what the two have kept. Raises StackBusy if one of them is still running."""
    for name in ("kafka", "postgres"):
        with contextlib.suppress(FileNotFoundError):
            descriptor = os.open(settings.folder / name / f"{name}.lock", os.O_RDWR | os.O_CLOEXEC)
            with os.fdopen(descriptor):
                if not locked(descriptor, patience=30):
                    raise StackBusy(f"{name} is still running on {settings.folder / name}.")
                shutil.rmtree(settings.folder / name)


@contextlib.asynccontextmanager
async def started(server: EmbeddedKafka | EmbeddedPostgres) -> AsyncIterator[None]:
    try:
        await server.start()
        yield
    finally:
        await server.stop()
