"""The composition that every process shares: settings, logs, HTTP, the consumer loop, other tasks, an orderly end.

A service's `__main__.py`:

    @asynccontextmanager
    async def compose(resources: Resources) -> AsyncIterator[Service]:
        async with open_pool(resources.settings, "resolver", size=4, role="muster_reader") as pool:
            yield Service(ResolverProjection(), routes=routes(pool))

    if __name__ == "__main__":
        run("resolver", compose, "Decides what each record of the journal comes to.")

Exit codes: 0 after a stop that was asked for, 1 when something ended that should not have, 70 by the watchdog.
"""

import argparse
import asyncio
import gc
import json
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any

import structlog
import uvloop
from pydantic import ValidationError
from starlette.routing import BaseRoute

from schemas.topics import Topic
from worker import health, telemetry
from worker.consumer import Consumer
from worker.deadletters import DeadLetters
from worker.edge import Edge
from worker.failures import Stop, describe
from worker.progress import Progress
from worker.projection import Projection
from worker.publisher import Publisher
from worker.settings import Settings, complaints
from worker.starting import wait_for_database, wait_for_topics
from worker.watchdog import Watchdog

log = structlog.get_logger(__name__)

GARBAGE_THRESHOLDS = (200_000, 20, 50)
"""A batch makes many objects that live until its commit; the default of 700 walks them over and over, which takes a
fifth of the resolver's CPU."""


@dataclass(frozen=True, slots=True)
class Resources:
    """What a service is built from. `publisher` may be used by the service's own tasks too.

    `progress` is told by the consumer loop; a service without a projection tells it from a task of its own.
    """

    settings: Settings
    publisher: Publisher
    progress: Progress


@dataclass(frozen=True, slots=True)
class Service:
    """What a service adds: its projection, its routes, and tasks that run beside the loop until they are cancelled.

    A task that ends by itself, in whatever way, ends the process. `topics` are waited for at the start, as those of the
    projection are.
    """

    projection: Projection | None
    routes: Sequence[BaseRoute] = ()
    tasks: Sequence[Callable[[], Coroutine[Any, Any, None]]] = ()
    topics: Sequence[Topic] = ()


Compose = Callable[[Resources], AbstractAsyncContextManager[Service]]


class Ended(Exception):
    """A part of the process ended that should go on for as long as the process does."""


def run(name: str, compose: Compose, purpose: str, settings: type[Settings] = Settings) -> None:
    """Be the process: read the settings, serve until a signal says stop, and exit."""
    argparse.ArgumentParser(
        prog=f"python -m services.{name}",
        description=f"{purpose} It is configured by MUSTER_ variables in the environment: see worker/settings.py.",
    ).parse_args()
    gc.freeze()
    gc.set_threshold(*GARBAGE_THRESHOLDS)
    gc.enable()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        sys.exit(runner.run(_main(name, compose, settings)))


async def serve(name: str, compose: Compose, settings: Settings, stopping: asyncio.Event) -> None:
    """Run a service until `stopping` is set. Raises what ended it otherwise."""
    publisher = Publisher(settings, f"muster-{name}")
    letterbox = Publisher(settings, f"muster-{name}-dead-letters", compression="gzip")
    try:
        if not await _unless(stopping, wait_for_database(settings)):
            return
        resources = Resources(settings, publisher, Progress())
        async with compose(resources) as service:
            wanted = [*service.topics, *(service.projection.topics if service.projection else ())]
            if await _unless(stopping, wait_for_topics(settings, wanted)):
                await _Process(name, resources, service, letterbox).run(stopping)
    finally:
        await publisher.close()
        await letterbox.close()


class _Process:
    """The parts of a running process."""

    def __init__(self, name: str, resources: Resources, service: Service, letterbox: Publisher) -> None:
        self._name = name
        self._settings = settings = resources.settings
        self._service = service
        self._progress = resources.progress
        self._consumer = _consumer(resources, service.projection, letterbox) if service.projection else None
        self._edges = _edges(settings, [*health.routes(settings, self._progress), *service.routes])
        self._watchdog = Watchdog(self._progress, settings.watchdog_seconds)

    async def run(self, stopping: asyncio.Event) -> None:
        parts = [asyncio.create_task(edge.serve(), name=name) for name, edge in self._edges.items()]
        if self._consumer is not None:
            parts.append(asyncio.create_task(self._consumer.run(), name="consumer"))
        tasks = [asyncio.create_task(task(), name=task.__qualname__) for task in self._service.tasks]
        announcing = asyncio.create_task(self._announce())
        asked = asyncio.create_task(stopping.wait())
        self._watchdog.start()
        try:
            await asyncio.wait({asked, *parts, *tasks}, return_when=asyncio.FIRST_COMPLETED)
            for task in (*parts, *tasks):
                _raise_if_ended(task)
        finally:
            announcing.cancel()
            asked.cancel()
            self._watchdog.call_off()
            await self._end(parts, tasks)

    async def _announce(self) -> None:
        await self._progress.ready.wait()
        address, metrics = self._edges["http"].address, list(self._edges.values())[-1].address
        log.info("ready", address=address, metrics=metrics, state=self._progress.state)
        if self._settings.ready_file is not None:
            said = {"service": self._name, "address": address, "metrics": metrics, "pid": os.getpid()}
            unfinished = self._settings.ready_file.with_suffix(".unfinished")
            unfinished.write_text(json.dumps(said), encoding="utf-8")
            unfinished.rename(self._settings.ready_file)

    async def _end(self, parts: Sequence[asyncio.Task[None]], tasks: Sequence[asyncio.Task[None]]) -> None:
        """Stop in order: the loop with what it has begun, then the rest. Raises `TimeoutError` if it takes too long."""
        if self._consumer is not None:
            self._consumer.stop()
        for edge in self._edges.values():
            edge.close()
        for task in tasks:
            task.cancel()
        async with asyncio.timeout(self._settings.graceful_seconds):
            await asyncio.gather(*parts, *tasks, return_exceptions=True)


def _edges(settings: Settings, routes: Sequence[BaseRoute]) -> dict[str, Edge]:
    """What listens: one port for everything, or two where metrics have one of their own."""
    if settings.metrics_port is None:
        return {"http": Edge(settings.http_host, settings.http_port, [*health.metrics_routes(), *routes])}
    return {
        "http": Edge(settings.http_host, settings.http_port, routes),
        "metrics": Edge(settings.http_host, settings.metrics_port, health.metrics_routes()),
    }


def _consumer(resources: Resources, projection: Projection, letterbox: Publisher) -> Consumer:
    settings = resources.settings
    dead_letters = DeadLetters(letterbox, projection.group, settings.topic_epoch)
    return Consumer(settings, projection, resources.publisher, dead_letters, resources.progress)


def _raise_if_ended(task: asyncio.Task[None]) -> None:
    if task.done():
        error = None if task.cancelled() else task.exception()
        raise Ended(f"{task.get_name()} ended") from error


async def _unless(stopping: asyncio.Event, doing: Coroutine[Any, Any, None]) -> bool:
    """Whether it was done before the process was asked to stop."""
    task = asyncio.create_task(doing)
    asked = asyncio.create_task(stopping.wait())
    try:
        await asyncio.wait({task, asked}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            await task
        return task.done()
    finally:
        task.cancel()
        asked.cancel()


async def _main(name: str, compose: Compose, settings_class: type[Settings]) -> int:
    try:
        settings = settings_class()
    except ValidationError as error:
        print(*complaints(error), sep="\n", file=sys.stderr)  # noqa: T201 - there are no logs yet
        return 1
    telemetry.configure(settings, name)
    loop = asyncio.get_running_loop()
    telemetry.watch_loop(loop)
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    return await _exit_code(serve(name, compose, settings, stopping))


async def _exit_code(serving: Awaitable[None]) -> int:
    try:
        await serving
    except Exception as error:
        cause = error.__cause__ if isinstance(error, Ended) else error
        if isinstance(cause, Stop):
            log.critical("stopped", why=str(cause))
        else:
            what = str(error) if isinstance(error, Ended) else describe(error)
            log.critical("ended", what=what, exc_info=error)
        return 1
    log.info("stopped")
    return 0
