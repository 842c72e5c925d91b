"""Requests and outcomes, folded into the tables beside the live ones as far as those contain them."""

from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition

from schemas.codec import Event
from schemas.progress import VISIBLE_HOURS
from schemas.topics import OUTCOMES, REQUESTS
from services.notifier import store
from services.notifier.domain.ledger import Ledger, touched
from services.notifier.domain.snapshots import snapshot
from services.notifier.projection import source_of
from worker import topics
from worker.oddity import make_readable
from worker.reading import Raw, Reader
from worker.records import Incoming
from worker.redrive import is_for
from worker.settings import Settings
from worker.statements import execute_together
from worker.tail import consuming
from worker.watching import Steps

if TYPE_CHECKING:
    from services.notifier.domain.rows import Key
    from worker.projection import Database

GROUP = "notifier"
TOPICS = (REQUESTS, OUTCOMES)
"""In this order. In whichever the two are read, the rows come out the same."""
REACH = timedelta(hours=VISIBLE_HOURS + 24)
"""A bulk that readers see may have begun before the first import of it that they see."""
PIECE = 2_000
POLL_MS = 500
FETCH_MS = 10
"""A fetch at the end of one partition would hold up the first one of the next."""
SILENT_POLLS = 120

Place = tuple[str, int]
"""A topic's name without prefix, and a partition."""


class Folder:
    """Remembers how far each partition is folded, and goes on from there."""

    def __init__(self, settings: Settings, database: "Database", kafka: AIOKafkaConsumer) -> None:
        self._settings = settings
        self._database = database
        self._kafka = kafka
        self._names = {topic.name: settings.topic_name(topic) for topic in TOPICS}
        self._topics = {settings.topic_name(topic): topic for topic in TOPICS}
        self._reader: Reader | None = None
        self._since = 0
        self._reached: dict[Place, int] = {}
        self.records = 0

    @contextmanager
    def undone_with(self) -> Iterator[None]:
        """What is folded inside a transaction that is rolled back is folded again."""
        reached = dict(self._reached)
        try:
            yield
        except BaseException:
            self._reached = reached
            raise

    async def begin(self, since: int, until: Mapping[Place, int]) -> int:
        """Begin with what is not older than that (milliseconds since 1970); how many offsets that are."""
        counts = Counter(each.topic for each in await topics.partitions(self._settings, *TOPICS))
        self._reader = Reader(GROUP, self._topics, counts)
        self._since = since
        for where, end in until.items():
            self._reached[where] = await self._first(where, end)
        return sum(max(0, end - self._reached[where]) for where, end in until.items())

    async def fold(self, until: Mapping[Place, int], steps: Steps) -> set[str]:
        """Fold up to there; the tenants whose rows may have changed. Raises `TimeoutError`."""
        tenants: set[str] = set()
        for topic in TOPICS:
            for where, end in until.items():
                if where[0] != topic.name:
                    continue
                if where not in self._reached:
                    self._reached[where] = await self._first(where, end)
                before = self._reached[where]
                async for records, reached in self._pieces(where, before, end):
                    tenants |= await self._apply(records)
                    steps.advance(reached - before)
                    before = self._reached[where] = reached
        return tenants

    async def _apply(self, records: Sequence[Incoming]) -> set[str]:
        """One piece. A row ends to be visible at a record's time, as for a notifier that keeps up."""
        inputs = [(each.content, source_of(each)) for each in records if isinstance(each.content, Event)]
        keys: set[Key] = {key for event, _ in inputs for key in touched(event)}
        self.records += len(records)
        if not keys:
            return set()
        ledger = Ledger(await store.rows(self._database, keys), inputs[0][1].at)
        for event, source in inputs:
            ledger.read(event, source)
        rows = [each.row for each in ledger.changes()]
        shown = [(row, orjson.dumps(snapshot(row).model_dump(exclude_unset=True))) for row in rows]
        await execute_together(self._database, store.put_rows(shown))
        return {row.key.tenant_id for row in rows}

    async def _pieces(
        self, where: Place, since: int, until: int
    ) -> AsyncIterator[tuple[list[Incoming], int]]:
        place = TopicPartition(self._names[where[0]], where[1])
        assert self._reader is not None
        if since >= until:
            return
        self._kafka.assign([place])
        self._kafka.seek(place, since)
        reached, silent = since, 0
        while reached < until:
            fetched: Mapping[TopicPartition, Sequence[Raw]] = await self._kafka.getmany(
                place, timeout_ms=POLL_MS, max_records=PIECE
            )
            position = min(until, await self._kafka.position(place))
            silent = 0 if position > reached else silent + 1
            if silent > SILENT_POLLS:
                raise TimeoutError
            reached = position
            raws = [
                each for each in fetched.get(place, ()) if each.offset < until and is_for(GROUP, each.headers)
            ]
            yield [self._reader.incoming(each) for each in raws], reached

    async def _first(self, where: Place, end: int) -> int:
        """The first offset that matters: of that time, and not before the log begins."""
        place = TopicPartition(self._names[where[0]], where[1])
        begin: int = (await self._kafka.beginning_offsets([place]))[place]
        found = (await self._kafka.offsets_for_times({place: self._since}))[place]
        return end if found is None else max(begin, found.offset)


@asynccontextmanager
async def folding(settings: Settings, database: "Database") -> AsyncIterator[Folder]:
    """Have a folder; `database` is a connection that the live tables are read with too."""
    make_readable()
    async with consuming(settings, "rebuild", fetch_max_wait_ms=FETCH_MS) as kafka:
        yield Folder(settings, database, kafka)
