"""Bring up a Kafka and a Postgres to work with, or find those that are up.

The environment's addresses win; then Docker, where an engine answers; then the embedded pair.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager as Part

from stack import embedded
from stack.answers import kafka_answers, postgres_answers, until
from stack.claims import Claim, Holder, claim, holder
from stack.errors import StackError
from stack.settings import Addresses, Source, StackSettings

UP = "muster up"
"""The one owner of a stack that shares it."""

ANSWERS_WITHIN = 30.0
"""Seconds for which given addresses are tried."""

Tell = Callable[[str], None]


@contextlib.asynccontextmanager
async def open_stack(settings: StackSettings, verb: str, tell: Tell = print) -> AsyncIterator[Addresses]:
    """Have a stack to run the services on: the one that `muster up` brought up, or one that ends with this.

    `verb` is what others are told when they ask who is at work here; `tell` is called with lines of progress.
    Raises StackBusy if another command runs services or owns a stack here, and other StackErrors.
    """
    with claim(settings.folder / "services.claim", verb):
        shared = await stack_of_up(settings)
        if shared is not None:
            yield shared
            return
        async with own_stack(settings, verb, tell) as (addresses, _):
            yield addresses


async def stack_of_up(settings: StackSettings) -> Addresses | None:
    """Return the stack that `muster up` has brought up, or is bringing up."""
    while (owner := find_owner(settings)) is not None and owner.verb == UP:
        if owner.addresses is not None:
            return owner.addresses
        await asyncio.sleep(0.1)
    return None


def find_owner(settings: StackSettings) -> Holder | None:
    """Return the process that owns this checkout's stack, if one is up."""
    return holder(settings.folder / "stack.claim")


def find_stack(settings: StackSettings) -> Addresses | None:
    """Return a stack that is up: the environment's, or that of `muster up` or `muster run`."""
    if settings.kafka and settings.postgres:
        return Addresses(settings.kafka, settings.postgres)
    owner = find_owner(settings)
    return owner.addresses if owner else None


@contextlib.asynccontextmanager
async def own_stack(
    settings: StackSettings, verb: str, tell: Tell = print
) -> AsyncIterator[tuple[Addresses, Claim]]:
    """Bring up a stack that ends with this, and let others find it. Raises StackError."""
    with claim(settings.folder / "stack.claim", verb) as held:
        async with both(*await choose(settings, tell)) as addresses:
            held.publish(addresses)
            yield addresses, held


async def choose(settings: StackSettings, tell: Tell) -> tuple[Part[str], Part[str]]:
    """Settle where Kafka and where Postgres come from."""
    source = settings.source
    if source in {Source.ENVIRONMENT, Source.AUTO} and settings.kafka and settings.postgres:
        return given_kafka(settings.kafka), given_postgres(settings.postgres)
    if source is Source.ENVIRONMENT:
        raise StackError("MUSTER_STACK=environment needs both MUSTER_KAFKA and MUSTER_POSTGRES_DSN.")
    kafka, postgres = await docker_or_embedded(settings, tell)
    if source is Source.AUTO and settings.kafka:
        kafka = given_kafka(settings.kafka)
    if source is Source.AUTO and settings.postgres:
        postgres = given_postgres(settings.postgres)
    return kafka, postgres


async def docker_or_embedded(settings: StackSettings, tell: Tell) -> tuple[Part[str], Part[str]]:
    if settings.source is not Source.EMBEDDED:
        from stack import containers  # noqa: PLC0415  # takes 0.2 s to import

        if await asyncio.to_thread(containers.engine_answers):
            return containers.kafka(settings.folder), containers.postgres(settings.folder)
        if settings.source is Source.DOCKER:
            raise StackError("MUSTER_STACK=docker, and no container engine answers.")
    return embedded.kafka(settings, tell), embedded.postgres(settings)


def delete_data(settings: StackSettings) -> None:
    """Delete all that a stack here has kept, whatever it ran on. Raises StackBusy if it is still running."""
    from stack import containers  # noqa: PLC0415  # as above

    embedded.delete_data(settings)
    if settings.source in {Source.AUTO, Source.DOCKER} and containers.engine_answers():
        containers.delete_volumes(settings.folder)


@contextlib.asynccontextmanager
async def both(kafka: Part[str], postgres: Part[str]) -> AsyncIterator[Addresses]:
    """Enter the two at the same time; if one fails, the other is ended before the failure is passed on."""
    failed: BaseException | None = None
    async with contextlib.AsyncExitStack() as running:
        try:
            async with asyncio.TaskGroup() as starting:
                addresses = [
                    starting.create_task(running.enter_async_context(part)) for part in (kafka, postgres)
                ]
        except* StackError as failures:
            failed = failures.exceptions[0]
        if failed is not None:  # raised up there, Python before 3.11.4 would put it into a group
            raise failed from None
        yield Addresses(*(task.result() for task in addresses))


@contextlib.asynccontextmanager
async def given_kafka(address: str) -> AsyncIterator[str]:
    await until(kafka_answers, address, f"MUSTER_KAFKA ({address})", ANSWERS_WITHIN)
    yield address


@contextlib.asynccontextmanager
async def given_postgres(dsn: str) -> AsyncIterator[str]:
    await until(postgres_answers, dsn, "MUSTER_POSTGRES_DSN", ANSWERS_WITHIN)
    yield dsn
