"""Topics and a database of a test's own, with processes of whichever release on them."""

import asyncio
import json
import os
import secrets
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import httpx
from aiokafka import TopicPartition
from pydantic import SecretStr

from schemas.fields import timestamp
from schemas.topics import JOURNAL
from services.resolver.replaying import course
from services.resolver.replaying.course import Course
from tests.support.chaos.composed import composed
from tests.support.chaos.post import Post, open_post
from tests.support.eventually import eventually
from tests.support.processes import ServiceProcess, variables_of
from worker import topics
from worker.projection import Database
from worker.settings import Settings
from worker.tail import consuming

PROJECT = Path(__file__).parents[3]
PARTITIONS = 4
RESTS_WITHIN = 60


@dataclass(frozen=True, slots=True)
class Ended:
    """A command that has ended."""

    code: int
    said: str
    aside: str

    @property
    def document(self) -> Any:
        return json.loads(self.said)


def process_of(
    release: str,
    name: str,
    settings: Settings,
    folder: Path,
    *,
    called: str | None = None,
    **variables: str,
) -> ServiceProcess:
    """A process of a release, not started."""
    return ServiceProcess(
        name,
        settings,
        folder,
        process_name=called or name,
        wrapper=("tests.support.replaying.release",),
        TEST_RELEASE=release,
        PYTHONPATH=str(PROJECT),
        **variables,
    )


class Quiet:
    """Watches a replay, and remembers what it was told."""

    def __init__(self) -> None:
        self.remarks: list[str] = []
        self.steps: dict[str, int] = {}

    def remark(self, sentence: str) -> None:
        self.remarks.append(sentence)

    @contextmanager
    def progress(self, doing: str, total: int | None = None, unit: str = "records"):
        yield _Steps(self.steps, doing)


@dataclass
class _Steps:
    steps: dict[str, int]
    doing: str

    def advance(self, number: int = 1) -> None:
        self.steps[self.doing] = self.steps.get(self.doing, 0) + number


@dataclass
class Place:
    """Where a test replays."""

    settings: Settings
    folder: Path
    post: Post
    _number: int = 0

    def service(
        self, name: str, release: str, *, called: str | None = None, **variables: str
    ) -> ServiceProcess:
        """A process of a release, not started."""
        return process_of(release, name, self.settings, self.folder, called=called, **variables)

    async def command(self, release: str, *words: str) -> Ended:
        """Run `muster` of a release to its end."""
        process = await self.start_command(release, *words)
        said, aside = await process.communicate()
        return Ended(process.returncode or 0, said.decode(), aside.decode())

    async def start_command(
        self, release: str, *words: str, gate: Path | None = None
    ) -> asyncio.subprocess.Process:
        """Start `muster` of a release; `gate` is where one that pauses waits."""
        variables = variables_of(self.settings) | {"TEST_RELEASE": release, "MUSTER_OPERATOR": "the test"}
        if gate is not None:
            variables["TEST_GATE"] = str(gate)
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.support.replaying.release",
            "ops",
            *words,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd=PROJECT,
            env=os.environ | variables,
        )

    def on_another_database(self, dsn: str) -> "Place":
        """The same topics, with another database."""
        settings = self.settings.model_copy(update={"postgres_dsn": SecretStr(dsn)})
        return Place(settings, self.folder, self.post, self._number)

    @asynccontextmanager
    async def run(self, jobs: int = 1) -> AsyncIterator[Course]:
        """A run in this process."""
        async with course.begun(self.settings, Quiet(), jobs) as begun:
            yield begun

    async def fill(self, steps: int, seed: int = 1) -> int:
        """Publish a made-up journal of tenants of its own, and return how many records that were."""
        number, self._number = self._number, self._number + 1
        made = await asyncio.to_thread(
            lambda: list(composed(seed, steps, number, timestamp(int(time.time() * 1000))))
        )
        for each in made:
            await self.post.send(each)
        return len(made)

    @asynccontextmanager
    async def database(self) -> AsyncIterator[Database]:
        connection = await asyncpg.connect(self.settings.postgres_dsn.get_secret_value())
        try:
            yield connection
        finally:
            await connection.close()

    async def live(self) -> str:
        """The schema that is live."""
        async with self.database() as database:
            return (
                f"resolver_g{await database.fetchval('SELECT number FROM resolver.generations WHERE live')}"
            )

    async def rests(self) -> None:
        """Wait until the live tables contain the whole journal, and what follows from it is out."""
        await eventually(self._rests, timeout=RESTS_WITHIN, interval=0.2)

    async def _rests(self) -> bool:
        ends = await self._ends()
        schema = await self.live()
        async with self.database() as database:
            rows = await database.fetch(f"SELECT * FROM {schema}.positions")
            stored = await database.fetchval("SELECT to_regclass($1)::text", f"{schema}.swap_outcomes")
            waiting = await database.fetchval(f"SELECT count(*) FROM {stored}") if stored else 0
        applied = {row["partition"]: row["applied_to"] for row in rows if row["applied_to"]}
        published = {row["partition"]: row["published_to"] for row in rows if row["applied_to"]}
        return applied == published == ends and not waiting

    async def _ends(self) -> dict[int, int]:
        """Where each partition of the journal ends that has records."""
        name = self.settings.topic_name(JOURNAL)
        async with consuming(self.settings, "test") as kafka:
            ends = await kafka.end_offsets([TopicPartition(name, number) for number in range(PARTITIONS)])
        return {place.partition: end for place, end in ends.items() if end}

    async def state_of(self, service: ServiceProcess) -> str:
        """What a process says of itself."""
        async with httpx.AsyncClient() as http:
            return str((await http.get(f"{service.address}/health/live")).json()["state"])

    async def until(self, service: ServiceProcess, state: str) -> None:
        await eventually(lambda: self._is_in(service, state), timeout=30)

    async def _is_in(self, service: ServiceProcess, state: str) -> bool:
        return await self.state_of(service) == state


@asynccontextmanager
async def replaying_place(kafka: str, dsn: str, folder: Path) -> AsyncIterator[Place]:
    settings = Settings(
        kafka=kafka,
        postgres_dsn=SecretStr(dsn),
        topic_prefix=f"test-{secrets.token_hex(4)}.",
        journal_partitions=PARTITIONS,
        topic_partitions=3,
        dead_letter_partitions=1,
        session_seconds=6,
        demo=True,
    )
    await topics.create(settings)
    async with open_post(settings) as post:
        yield Place(settings, folder, post)


@asynccontextmanager
async def up(*services: ServiceProcess) -> AsyncIterator[None]:
    """Have services ready; whatever still runs is stopped at the end."""
    try:
        for each in services:
            await each.launch()
        for each in services:
            await each.ready()
        yield
    finally:
        for each in services:
            await each.stop()
