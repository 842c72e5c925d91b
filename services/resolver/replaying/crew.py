"""Several processes that fold partitions of one generation at the same time.

Each takes the next partition when it is through with one. They end with the process that started them, and what they
have stored is whole at any moment: a piece and its position commit together.
"""

import asyncio
import gc
import multiprocessing
import os
import random
import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from typing import Any

from schemas.topics import JOURNAL
from services.resolver.replaying.folding import Folder, Numbers, Tell
from services.resolver.replaying.journal import Journal, reading
from worker import retry, telemetry
from worker.database import Database, connect
from worker.failures import Stop, Verdict, classify, describe
from worker.positions import Positions
from worker.settings import Settings

LAST_ATTEMPT = 8
GARBAGE_THRESHOLDS = (200_000, 50, 1_000)
"""What a fold keeps in memory has no cycles: walking it over and over finds nothing."""


class FoldFailed(Stop):
    """A process of the crew has ended. The message says why; the next run goes on from where it came."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be folded: each partition up to an offset, all of it or one tenant's records."""

    settings: Settings
    schema: str
    cluster_id: str
    offsets: Mapping[int, Sequence[tuple[int, int]]]
    until: Mapping[int, int]
    tenant: str | None = None

    @property
    def partitions(self) -> Sequence[int]:
        """The long ones first, so that nobody is left with one in the end."""
        return sorted(self.until, key=lambda each: -self.until[each])

    @property
    def positions(self) -> Positions:
        return Positions("resolver", self.cluster_id, self.settings.topic_epoch)


async def connected(settings: Settings, schema: str, synchronous_commit: str) -> Database:
    """A connection that works in a generation, and whose statements may take their time."""
    return await connect(
        settings,
        "replay",
        statement_seconds=None,
        role="muster_resolver",
        search_path=schema,
        work_mem="128MB",
        synchronous_commit=synchronous_commit,
    )


async def fold(order: Order, tell: Tell) -> None:
    """Fold it all in this process. Raises what no waiting can mend."""
    await _fold_patiently(order, _Partitions(iter(order.partitions)), tell)


class _Partitions:
    """Partitions to be folded, one after the other; one at which its reader broke off comes first again."""

    def __init__(self, following: Iterator[int]) -> None:
        self._following = following
        self.current: int | None = None

    def __iter__(self) -> Iterator[int]:
        while (current := next(self._following, None) if self.current is None else self.current) is not None:
            self.current = current
            yield current
            self.current = None


async def _fold_patiently(order: Order, partitions: _Partitions, tell: Tell) -> None:
    """Go on after whatever passes, from where the tables stand."""
    attempt, broke_off_at = 0, None
    while True:
        try:
            return await _fold(order, partitions, tell)
        except Exception as error:
            attempt = attempt + 1 if partitions.current == broke_off_at else 1
            broke_off_at = partitions.current
            if classify(error) is not Verdict.PASSING or attempt >= LAST_ATTEMPT:
                raise
        await asyncio.sleep(retry.delay(attempt, random.random()))  # noqa: S311 - not for secrets


async def _fold(order: Order, partitions: _Partitions, tell: Tell) -> None:
    database = await connected(order.settings, order.schema, synchronous_commit="off")
    try:
        async with reading(order.settings) as journal:
            starts = await begin(database, journal, order)
            folder = Folder(database, journal, order.positions, Numbers(order.offsets), tell)
            tenant = order.tenant.encode() if order.tenant is not None else None
            for partition in partitions:
                if starts[partition] < order.until[partition]:
                    await folder.fold(partition, starts[partition], order.until[partition], tenant)
    finally:
        await database.close(timeout=5)


async def begin(database: Database, journal: Journal, order: Order) -> dict[int, int]:
    """Where each partition stands, at its beginning where it was never begun. Raises `WrongLog`."""
    logs = await journal.logs()
    async with database.transaction():
        found = await order.positions.take_up(database, logs)
    return {place[1]: position.applied_to for place, position in found.items() if place[0] == JOURNAL.name}


class Crew:
    """The processes, and the pipes by which they are told what to fold, ask for partitions and tell how far they are.

    They import what they need while whoever started them still prepares the order.
    """

    def __init__(self, jobs: int) -> None:
        spawning = multiprocessing.get_context("spawn")
        self._pipes: dict[Connection, Any] = {}
        for number in range(jobs):
            ours, theirs = spawning.Pipe()
            process = spawning.Process(
                target=_member, args=(theirs,), name=f"muster-replay-{number}", daemon=True
            )
            with _without_interrupts():
                process.start()
            theirs.close()
            self._pipes[ours] = process

    async def fold(self, order: Order, tell: Tell) -> None:
        """Fold it all, once; then they are gone. Raises `FoldFailed`."""
        waiting = list(order.partitions)
        try:
            for each in self._pipes:
                with suppress(OSError):  # that it is gone is noticed below
                    each.send(order)
            while self._pipes:
                for pipe in await asyncio.to_thread(wait, list(self._pipes), 0.5):
                    assert isinstance(pipe, Connection)
                    self._hear(pipe, waiting, tell)
        finally:
            self.dismiss()

    def dismiss(self) -> None:
        """End those that are still there."""
        for process in self._pipes.values():
            process.kill()

    def _hear(self, pipe: Connection, waiting: list[int], tell: Tell) -> None:
        try:
            said = pipe.recv()
        except (EOFError, OSError):
            raise FoldFailed(
                "A process that was folding has ended. Run the command again: it goes on from where it came."
            ) from None
        match said:
            case "next":
                pipe.send(waiting.pop(0) if waiting else None)
            case "done":
                self._pipes.pop(pipe).join()
            case (int() as partition, int() as reached):
                tell(partition, reached)
            case str() as trouble:
                raise FoldFailed(trouble)


@contextmanager
def _without_interrupts() -> Iterator[None]:
    """Start what Ctrl-C is not for, also while it still imports: a process begins with the mask of who started it."""
    resource_tracker.ensure_running()  # which is started with the first of them otherwise, and takes the mask away
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _member(pipe: Connection) -> None:
    """One process of the crew; Ctrl-C is for the one that started it, whose end it notices by the pipe."""
    telemetry.aside()
    gc.freeze()
    gc.set_threshold(*GARBAGE_THRESHOLDS)

    def tell(partition: int, reached: int) -> None:
        try:
            pipe.send((partition, reached))
        except OSError:
            os._exit(1)

    with suppress(OSError, EOFError):
        order = pipe.recv()
        try:
            asyncio.run(_fold_patiently(order, _Partitions(_asked_for(pipe)), tell))
            pipe.send("done")
        except Stop as stop:
            pipe.send(str(stop))
        except Exception as error:  # noqa: BLE001 - told to whoever waits for it
            pipe.send(
                f"Folding broke off ({describe(error)}). Run the command again: it goes on from where it came."
            )


def _asked_for(pipe: Connection) -> Iterator[int]:
    """The next partition each time, until there is none left. Nothing else is under way while it is asked for."""
    while True:
        pipe.send("next")
        given: int | None = pipe.recv()
        if given is None:
            return
        yield given
