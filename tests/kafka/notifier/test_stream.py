"""Streams of server-sent events on the real broker."""

import asyncio
import socket
from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial

import pytest
from aiokafka import AIOKafkaConsumer

from schemas.fields import milliseconds
from services.notifier import metrics, stream
from services.notifier.tail import Tail
from tests.support.eventually import eventually
from tests.support.tokens import as_reader_of
from tests.support.watching.running import Notifier, free_port
from tests.support.watching.sse import Dashboard, lines_of
from tests.support.watching.story import outcome, request, run
from tests.support.watching.tables import DAY, now
from worker import edge
from worker.routing import partition_of
from worker.tokens import DEMO_KEY, NOTIFIER, Tokens


def told(dashboard: Dashboard) -> list[tuple[str, str]]:
    return [(each.data["row_id"], each.data["status"]) for each in dashboard.of("progress")]


async def test_a_stream_begins_with_a_snapshot_and_goes_on_live(notifier: Notifier) -> None:
    """First all visible rows in one event, with an id at which resuming is safe, then each change as it comes."""
    async with notifier.running():
        dashboard = Dashboard("practice")
        async with dashboard.watching(notifier.address):
            await eventually(lambda: dashboard.of("snapshot"))
            await notifier.tell(request("i1"), request("other", tenant="somebody-else"))
            await eventually(lambda: told(dashboard) == [("i1", "queued")])
            at = milliseconds(dashboard.heard[-1].data["requested_at"])
            await notifier.tell(outcome(1, run("i1", "fetching", requested_at=at), at=now()))
            await eventually(lambda: told(dashboard) == [("i1", "queued"), ("i1", "fetching")])
        late = Dashboard("practice")
        async with late.watching(notifier.address):
            await eventually(lambda: late.of("snapshot"))

    assert [each.data for each in dashboard.of("snapshot")] == [{"rows": []}]
    assert late.heard[0].data == {"rows": [dashboard.heard[-1].data]}
    assert late.last_id == dashboard.last_id != ""


async def test_a_stream_resumes_behind_the_last_id(notifier: Notifier) -> None:
    """What came while the client was away is told in order, from memory and, after a restart, from Kafka."""
    dashboard = Dashboard("practice")
    async with notifier.running():
        async with dashboard.watching(notifier.address):
            await eventually(lambda: dashboard.of("snapshot"))
            await notifier.tell(request("i1"))
            await eventually(lambda: len(told(dashboard)) == 1)
        await notifier.tell(request("i2"))
        await eventually(lambda: _count(notifier, 2))
        async with dashboard.watching(notifier.address):
            await eventually(lambda: len(told(dashboard)) == 2)
        await notifier.tell(*(request(f"i{number}") for number in range(3, 6)))
        await eventually(lambda: _count(notifier, 5))
    async with notifier.running(), dashboard.watching(notifier.address):
        await eventually(lambda: len(told(dashboard)) == 5)

    assert [row_id for row_id, _ in told(dashboard)] == ["i1", "i2", "i3", "i4", "i5"]
    assert [each.event for each in dashboard.heard].count("snapshot") == 1
    assert dashboard.of("reset") == []


@pytest.fixture
def reading(monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Until it is set the notifier reads nothing of what is on the topic of progress."""
    begin, event = Tail._begin, asyncio.Event()

    async def late(tail: Tail, consumer: AIOKafkaConsumer) -> None:
        await begin(tail, consumer)
        await event.wait()

    monkeypatch.setattr(Tail, "_begin", late)
    return event


async def test_what_the_process_has_published_is_told_before_it_is_read_back(
    notifier: Notifier, reading: asyncio.Event
) -> None:
    """Once it is acknowledged; and not again when it comes from the broker."""
    dashboard = Dashboard("practice")
    async with notifier.running(), dashboard.watching(notifier.address):
        await eventually(lambda: dashboard.of("snapshot"))
        await notifier.tell(request("i1"))
        await eventually(lambda: told(dashboard) == [("i1", "queued")])
        reading.set()
        await notifier.tell(request("i2"))
        await eventually(lambda: len(told(dashboard)) == 2)

    assert told(dashboard) == [("i1", "queued"), ("i2", "queued")]


async def test_what_somebody_else_has_published_before_it_is_read_first(
    notifier: Notifier, reading: asyncio.Event
) -> None:
    """What is not the next one of its partition waits, or what lies between would never be told."""
    dashboard = Dashboard("practice")
    async with notifier.running(), dashboard.watching(notifier.address):
        await eventually(lambda: dashboard.of("snapshot"))
        async with notifier.producing() as producer:
            await producer.send_and_wait(notifier.progress, b"of somebody else", key=b"practice")
        await notifier.tell(request("i1"))
        await eventually(lambda: _count(notifier, 2))
        assert told(dashboard) == []
        reading.set()
        await eventually(lambda: told(dashboard) == [("i1", "queued")])


async def test_what_somebody_else_has_published_during_a_rest_is_told_after_it(
    notifier: Notifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where all that it read was heard it rests; nothing is lost by that, and what it publishes itself goes on."""
    rest, resting, over = Tail._rest, asyncio.Event(), asyncio.Event()

    async def long_rest(tail: Tail, consumer: AIOKafkaConsumer) -> None:
        resting.set()
        await over.wait()
        await rest(tail, consumer)

    monkeypatch.setattr(Tail, "_rest", long_rest)
    dashboard = Dashboard("practice")
    async with notifier.running(), dashboard.watching(notifier.address):
        await eventually(lambda: dashboard.of("snapshot"))
        await eventually(partial(_heard_first, notifier, dashboard, resting))
        heard = len(told(dashboard))
        (*_, last) = await notifier.published()
        async with notifier.producing() as producer:
            await producer.send_and_wait(notifier.progress, last.value, key=last.key)
        assert len(told(dashboard)) == heard
        over.set()
        await eventually(lambda: len(told(dashboard)) == heard + 1)
        await notifier.tell(request("last"))
        await eventually(lambda: told(dashboard)[-1] == ("last", "queued"))


async def test_a_stream_ends_with_its_token_and_is_taken_up_with_another(notifier: Notifier) -> None:
    """It says so; whoever comes back with a token that is good goes on where it ended, and nobody else does."""
    tokens = Tokens(DEMO_KEY)
    dashboard = Dashboard("practice")
    short = {"Authorization": f"Bearer {tokens.make('practice', NOTIFIER, 2)}"}
    async with notifier.running():
        await dashboard.listen(notifier.address, short)
        refused = Dashboard("practice")
        await refused.listen(notifier.address, short)
        await notifier.tell(request("i1"))
        async with dashboard.watching(notifier.address):
            await eventually(lambda: told(dashboard) == [("i1", "queued")])

    assert [each.event for each in dashboard.heard] == ["snapshot", "over", "progress"]
    assert dashboard.heard[1].data == {"why": "token_expired"}
    assert refused.connections == 0


async def test_an_id_that_is_no_longer_kept_gets_a_reset(notifier: Notifier) -> None:
    """The client is told that it missed something, and given everything anew; from there it goes on as ever."""
    dashboard = Dashboard("practice")
    async with notifier.running():
        async with dashboard.watching(notifier.address):
            await eventually(lambda: dashboard.of("snapshot"))
            await notifier.tell(request("i1"))
            await eventually(lambda: len(told(dashboard)) == 1)
        await notifier.tell(request("i2"), request("i3"))
        await eventually(lambda: _count(notifier, 3))
    partition = partition_of(b"practice", 2)
    await notifier.forget_before(partition, 3)
    async with notifier.running(), dashboard.watching(notifier.address):
        await eventually(lambda: len(dashboard.of("snapshot")) == 2)
        await notifier.tell(request("i4"))
        await eventually(lambda: len(told(dashboard)) == 2)

    assert [each.event for each in dashboard.heard] == [
        "snapshot",
        "progress",
        "reset",
        "snapshot",
        "progress",
    ]
    assert dashboard.heard[2].data == {"why": "expired"}
    assert {row["row_id"] for row in dashboard.heard[3].data["rows"]} == {"i1", "i2", "i3"}
    assert (dashboard.heard[3].id, dashboard.heard[4].id) == (f"{partition}-2", f"{partition}-3")


@pytest.mark.parametrize(
    ("last_id", "why"),
    [
        ("nonsense", "malformed"),
        ("0--2", "malformed"),
        ("0-1-2", "malformed"),
        (f"{1 - partition_of(b'practice', 2)}-0", "other_partition"),
        (f"{partition_of(b'practice', 2)}-99", "unknown"),
    ],
)
async def test_an_id_that_can_not_be_resumed_gets_a_reset(notifier: Notifier, last_id: str, why: str) -> None:
    """An id that is none, of another partition than the tenant's, or ahead of the topic."""
    async with notifier.running():
        await notifier.tell(request("i1"))
        await eventually(lambda: _count(notifier, 1))
        dashboard = Dashboard("practice", last_id=last_id)
        async with dashboard.watching(notifier.address):
            await eventually(lambda: dashboard.of("snapshot"))

    assert [(each.event, each.data.get("why")) for each in dashboard.heard] == [
        ("reset", why),
        ("snapshot", None),
    ]
    assert [row["row_id"] for row in dashboard.heard[1].data["rows"]] == ["i1"]


async def test_a_silent_stream_beats_and_its_id_moves_on(
    notifier: Notifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A comment says that the line is alive, and what others of the partition were told need not be read again."""
    monkeypatch.setattr(stream, "HEARTBEAT_SECONDS", 0.2)
    neighbour = next(
        name for name in "abcdefgh" if partition_of(name.encode(), 2) == partition_of(b"practice", 2)
    )
    async with notifier.running():
        dashboard = Dashboard("practice")
        async with dashboard.watching(notifier.address):
            await eventually(lambda: dashboard.heartbeats > 1)
            await notifier.tell(*(request(f"i{number}", tenant=neighbour) for number in range(5)))
            await eventually(lambda: dashboard.last_id == f"{partition_of(b'practice', 2)}-4")

    assert [each.event for each in dashboard.heard] == ["snapshot"]
    assert dashboard.connections == 1


async def test_rows_that_are_over_are_not_told(notifier: Notifier) -> None:
    """An event whose row has passed its 72 hours by the time it would be sent is left out."""
    async with notifier.running():
        dashboard = Dashboard("practice")
        async with dashboard.watching(notifier.address):
            await eventually(lambda: dashboard.of("snapshot"))
        almost_over = now() - 3 * DAY + 4000
        await notifier.tell(outcome(1, run("over", "fetching", requested_at=almost_over), at=now()))
        await eventually(lambda: _count(notifier, 1))
        await eventually(lambda: now() > almost_over + 3 * DAY)
        await notifier.tell(request("i1"))
        async with dashboard.watching(notifier.address):
            await eventually(lambda: told(dashboard))

    assert told(dashboard) == [("i1", "queued")]


async def test_a_stream_goes_on_at_another_notifier(notifier: Notifier) -> None:
    """Two share the work; an id from one resumes at the other, and what both fold of one import is one row."""
    other = replace(notifier, settings=notifier.settings.model_copy(update={"http_port": free_port()}))
    dashboard = Dashboard("practice")
    async with notifier.running(), other.running():
        async with dashboard.watching(notifier.address):
            await eventually(lambda: dashboard.of("snapshot"))
        for step in range(20):
            at = now()
            await notifier.tell(
                request(f"i{step}", at=at),
                outcome(step, run(f"i{step}", "completed", requested_at=at), at=at),
            )
            async with dashboard.watching((notifier, other)[step % 2].address):
                await eventually(partial(_completed, dashboard, step + 1))
        records = await notifier.published()

    assert [each.id for each in dashboard.of("progress")] == [
        f"{each.partition}-{each.offset}" for each in records
    ]
    assert dashboard.of("reset") == []


async def test_streams_end_when_the_process_stops(notifier: Notifier) -> None:
    """At once and in order, so that a restart does not wait for them."""
    async with notifier.running():
        dashboard = Dashboard("practice")
        listening = asyncio.create_task(dashboard.listen(notifier.address))
        await eventually(lambda: dashboard.of("snapshot"))
        began = asyncio.get_running_loop().time()
    await listening

    assert asyncio.get_running_loop().time() - began < edge.CLOSE_SECONDS


async def test_a_client_that_takes_nothing_is_cut_off(
    notifier: Notifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It holds up neither the process nor its memory, and when it comes back it goes on where it was."""
    monkeypatch.setattr(stream, "SEND_SECONDS", 0.5)
    name = "\N{DECIDUOUS TREE}" * 300
    dashboard = Dashboard("practice")
    async with notifier.running():
        await eventually(lambda: _snapshot(notifier, dashboard))
        reader = await _stalled(notifier, dashboard)
        await notifier.tell(*(request(f"i{number}", name=name) for number in range(4000)))
        await eventually(lambda: _count(notifier, 4000), timeout=60, interval=1)
        await eventually(lambda: metrics.STREAMS._value.get() == 0, timeout=20)
        await dashboard.dispatch(reader)
        heard = len(told(dashboard))
        async with dashboard.watching(notifier.address):
            await eventually(lambda: len(told(dashboard)) >= 4000, timeout=30)

    assert 0 < heard < 4000
    assert [row_id for row_id, _ in told(dashboard)] == [f"i{number}" for number in range(4000)]


def _completed(dashboard: Dashboard, wanted: int) -> bool:
    return len([row_id for row_id, status in told(dashboard) if status == "completed"]) >= wanted


async def _snapshot(notifier: Notifier, dashboard: Dashboard) -> bool:
    async with dashboard.watching(notifier.address):
        await eventually(lambda: dashboard.of("snapshot"))
    return True


async def _stalled(notifier: Notifier, dashboard: Dashboard) -> AsyncIterator[str]:
    """A connection that asks for the stream and reads nothing until it is asked for lines."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.settimeout(0)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(client, ("127.0.0.1", notifier.settings.http_port))
    headers = {"Host": "notifier", "Last-Event-ID": dashboard.last_id, **as_reader_of(dashboard.tenant)}
    lines = [f"GET {dashboard.path} HTTP/1.0", *(f"{name}: {value}" for name, value in headers.items())]
    head = "\r\n".join([*lines, "", ""])
    await loop.sock_sendall(client, head.encode())

    async def body() -> AsyncIterator[bytes]:
        with client:
            received = await loop.sock_recv(client, 65536)
            yield received.partition(b"\r\n\r\n")[2]
            while received := await loop.sock_recv(client, 65536):
                yield received

    return lines_of(body())


async def _heard_first(notifier: Notifier, dashboard: Dashboard, resting: asyncio.Event) -> bool:
    """Something more was told, and by now one such event was read back only after it was heard."""
    before = len(told(dashboard))
    await notifier.tell(request(f"i{before}"))
    await eventually(lambda: len(told(dashboard)) > before)
    return resting.is_set()


async def _count(notifier: Notifier, wanted: int) -> bool:
    return len(await notifier.published()) >= wanted
