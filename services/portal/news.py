"""What happens to a tenant, told at once to whoever watches or waits: pages that are open, callers of commands.

A watcher has no queue: it is told *what* has changed, each thing once however often it changed, and looks for itself.
So one that does not keep up costs a few words of memory, and the others nothing.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

from schemas.codec import Unreadable, decode
from schemas.outcomes import OutcomeRecorded
from schemas.progress import IntegrationProgressed
from schemas.topics import Topic
from worker.tail import Raw

K = TypeVar("K")
V = TypeVar("V")

PROGRESS = "progress"
CLIENTS = "clients"
EVERYTHING = "everything"
MOST_AT_ONCE = 200
"""A watcher to whom more than this has happened is told to look at everything."""


def of_client(client_id: str) -> str:
    """The word for a client's items and people."""
    return f"client:{client_id}"


class Watcher:
    """One open page, or another that wants to know."""

    def __init__(self) -> None:
        self._changed: set[str] = set()
        self._news = asyncio.Event()

    def tell(self, *words: str) -> None:
        self._changed.update(words)
        if len(self._changed) > MOST_AT_ONCE:
            self._changed = {EVERYTHING}
        self._news.set()

    async def changed(self, within: float) -> set[str]:
        """What has changed since it was last asked, or nothing if nothing has for so many seconds."""
        try:
            async with asyncio.timeout(within):
                await self._news.wait()
        except TimeoutError:
            return set()
        self._news.clear()
        changed, self._changed = self._changed, set()
        return changed


class News:
    """Takes the records of `muster.outcomes` and `muster.progress`, and tells."""

    def __init__(self) -> None:
        self._watchers: dict[str, set[Watcher]] = {}
        self._waiting: dict[tuple[str, str], set[asyncio.Future[OutcomeRecorded]]] = {}

    def take(self, topic: Topic, record: Raw) -> None:
        """Take one record; one that nobody can read, or whose key is not its tenant, is passed over."""
        try:
            event = decode(record.value, topic)
        except Unreadable:
            return
        if record.key != event.tenant_id.encode():
            return
        match event.data:
            case OutcomeRecorded() as outcome:
                self._answer(event.tenant_id, outcome)
                self._tell(event.tenant_id, *_changed_by(outcome))
            case IntegrationProgressed():
                self._tell(event.tenant_id, PROGRESS)

    def missed(self) -> None:
        """Something may have been left out: let everybody look."""
        for watchers in self._watchers.values():
            for watcher in watchers:
                watcher.tell(EVERYTHING)

    @contextmanager
    def watching(self, tenant_id: str) -> Iterator[Watcher]:
        """Be told what changes for a tenant."""
        watcher = Watcher()
        self._watchers.setdefault(tenant_id, set()).add(watcher)
        try:
            yield watcher
        finally:
            _take_out(self._watchers, tenant_id, watcher)

    @contextmanager
    def awaiting(self, tenant_id: str, command_id: str) -> Iterator[asyncio.Future[OutcomeRecorded]]:
        """Be given the outcome of a command that is processed from now on."""
        answer: asyncio.Future[OutcomeRecorded] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault((tenant_id, command_id), set()).add(answer)
        try:
            yield answer
        finally:
            _take_out(self._waiting, (tenant_id, command_id), answer)

    def _answer(self, tenant_id: str, outcome: OutcomeRecorded) -> None:
        if outcome.record is None or outcome.part:
            return
        for answer in self._waiting.get((tenant_id, outcome.record.id), ()):
            if not answer.done():
                answer.set_result(outcome)

    def _tell(self, tenant_id: str, *words: str) -> None:
        for watcher in self._watchers.get(tenant_id, ()):
            watcher.tell(*words)


def _changed_by(outcome: OutcomeRecorded) -> list[str]:
    if outcome.client_id is None:
        return [CLIENTS] if outcome.connection is None else [CLIENTS, "connection"]
    return [CLIENTS, of_client(outcome.client_id)]


def _take_out(groups: dict[K, set[V]], key: K, value: V) -> None:
    group = groups[key]
    group.discard(value)
    if not group:
        del groups[key]
