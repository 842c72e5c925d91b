"""Broken records on a real broker: kept byte for byte, and the rest goes on."""

import gzip
import itertools
import random

import pytest
from aiokafka.structs import ConsumerRecord

from schemas.topics import MAX_EVENT_BYTES, REQUESTS
from tests.support.eventually import eventually
from tests.support.tally import OddName, Tally, request
from worker.deadletters import PREFIX
from worker.routing import partition_of

OWN = [("content-type", b"application/cloudevents+json"), ("traceparent", b"00-1")]
FINE = request("t1", "fine")
TWO_MEGABYTES = random.Random(1).randbytes(2 * MAX_EVENT_BYTES)

BROKEN = {
    "not JSON": (b"t1", b"{broken", OWN, "not_json"),
    "not UTF-8": (b"t1", FINE.replace(b"Ada", b"\xff\xfe"), OWN, "not_json"),
    "a lone surrogate": (b"t1", FINE.replace(b"Ada", b"\\ud800"), OWN, "not_json"),
    "empty": (b"t1", b"", OWN, "not_json"),
    "a tombstone": (b"t1", None, OWN, "not_json"),
    "not an object": (b"t1", b"[]", OWN, "not_schema"),
    "not the schema": (b"t1", FINE.replace(b'"requested_by":"Ada"', b'"requested_by":7'), OWN, "not_schema"),
    "NUL in a text": (b"t1", FINE.replace(b"Ada", b"\\u0000"), OWN, "not_schema"),
    "nested deeply": (b"t1", FINE.replace(b'"Ada"', b"[" * 500 + b"]" * 500), OWN, "not_schema"),
    "nested deeply where nobody looks": (
        b"t1",
        FINE.replace(b'"Ada"', b'"Ada","more":' + b"[" * 500 + b"]" * 500),
        OWN,
        "not_schema",
    ),
    "an unknown type": (b"t1", FINE.replace(b"requested.v1", b"requested.v9"), OWN, "unknown_type"),
    "too large": (b"t1", TWO_MEGABYTES, OWN, "too_large"),
    "another tenant's key": (b"t2", FINE, OWN, "misrouted"),
    "no key": (None, FINE, OWN, "misrouted"),
    "broken, with a header that is not UTF-8": (b"t1", b"{", [("trace", b"\xff\x00")], "not_json"),
    "broken, with a null header": (b"t1", b"{", [("trace", None), ("trace", b"")], "not_json"),
}


async def test_every_kind_of_broken_record_is_kept_byte_for_byte_and_the_rest_goes_on(tally: Tally) -> None:
    """Key, value and headers of a dead letter are the record's own; ours, which say why and where, follow."""
    partition = partition_of(b"t1", 2)
    for number, (key, value, headers, _) in enumerate(BROKEN.values()):
        await tally.ask(("t1", f"before-{number}"))
        await tally.send(value, key, headers, partition)
    await tally.ask(("t1", "after-all"))

    async with tally.running():
        await eventually(lambda: tally.has(2 * len(BROKEN) + 1), timeout=20)

    letters = await tally.published(REQUESTS.dead_letters)
    assert len(BROKEN) == len(letters)
    for offset, (name, (key, value, headers, why)), letter in zip(
        itertools.count(1, 2), BROKEN.items(), letters, strict=False
    ):
        own = list(letter.headers)[: len(headers)]
        assert (key, value, headers) == (letter.key, letter.value, own), name
        added = context(letter)
        where = (added["why"], added["topic"], added["partition"], added["offset"], added["group"])
        assert (why, "muster.requests", str(partition), str(offset), "tally") == where, name
    expected = [result for _, _, _, why in BROKEN.values() for result in ("applied", why)] + ["applied"]
    assert expected == [each["result"] for each in await tally.results()]


async def test_odd_headers_harm_nobody(tally: Tally) -> None:
    """A sound event with a header that is null or not UTF-8 is an event like any other."""
    odd: list[list[tuple[str, bytes | None]]] = [
        [("a", b"\xff\x00")],
        [("a", None)],
        [("content-type", b"\xc3")],
    ]
    for headers in odd:
        await tally.send(FINE, b"t1", headers, partition_of(b"t1", 2))

    async with tally.running():
        await eventually(lambda: tally.has(3))

    assert [each["result"] for each in await tally.results()] == ["applied"] * 3


async def test_a_header_whose_name_is_not_utf_8_stops_nobody(tally: Tally) -> None:
    """aiokafka cannot read it; here a sound event is applied, and a broken one is kept with the name's bytes."""
    await tally.ask(("t1", "before"))
    await tally.send(FINE, b"t1", [(OddName(), b"1")], partition_of(b"t1", 2), times=3)
    await tally.send(b"{", b"t1", [("fine", b"1"), (OddName(), b"2")], partition_of(b"t1", 2))
    await tally.ask(("t1", "after"))

    async with tally.running():
        await eventually(lambda: tally.has(6))

    assert [each["result"] for each in await tally.results()] == [*["applied"] * 4, "not_json", "applied"]
    [letter] = await tally.published(REQUESTS.dead_letters)
    assert list(letter.headers)[:2] == [("fine", b"1"), ("muster-odd-header-fffe", b"2")]


async def test_the_wrong_partition_is_misrouted(tally: Tally) -> None:
    """A record whose key belongs on another partition would be out of order there."""
    await tally.send(FINE, b"t1", OWN, 1 - partition_of(b"t1", 2))

    async with tally.running():
        await eventually(lambda: tally.has(1))

    [letter] = await tally.published(REQUESTS.dead_letters)
    assert context(letter)["why"] == "misrouted"
    assert letter.value == FINE


async def test_a_record_that_came_compressed_is_kept_though_it_has_grown(tally: Tally) -> None:
    """The broker limits what is on its disk; what unfolds to more than that is still kept byte for byte."""
    value = b"0123456789" * 2_000_000
    assert len(gzip.compress(value)) < MAX_EVENT_BYTES
    await tally.send(
        value, b"t1", OWN, partition_of(b"t1", 2), compression_type="gzip", max_request_size=2**25
    )

    async with tally.running():
        await eventually(lambda: tally.has(1))

    [letter] = await tally.published(REQUESTS.dead_letters)
    assert value == letter.value


async def test_a_letter_that_is_sent_again_has_the_same_id(tally: Tally) -> None:
    """After a crash between the letter and the commit, the same letter comes again, and can be recognised."""
    await tally.send(b"{", b"t1", OWN, partition_of(b"t1", 2))
    async with tally.running():
        await eventually(lambda: tally.has(1))
    await tally.execute("UPDATE tally.positions SET applied_to = 0, published_to = 0")
    async with tally.running():
        await eventually(lambda: tally.has(2))

    first, second = await tally.published(REQUESTS.dead_letters)
    assert context(first)["id"] == context(second)["id"]


@pytest.mark.parametrize("wish", ["poison", "poison-sql"])
async def test_the_record_that_breaks_a_batch_is_found(tally: Tally, wish: str) -> None:
    """A batch on which the service or the database breaks is narrowed down: one record fails, in its own place."""
    requests = [("t1", f"e{n}", wish if n in {13, 14, 40} else "Ada") for n in range(60)]
    await tally.ask(*requests)

    async with tally.running():
        await eventually(lambda: tally.has(60))

    results = await tally.results()
    assert [each[1] for each in requests] == [each["event_id"] for each in results]
    assert {"e13", "e14", "e40"} == {each["event_id"] for each in results if each["result"] == "failed"}
    letters = await tally.published(REQUESTS.dead_letters)
    assert [context(each)["offset"] for each in letters] == ["13", "14", "40"]
    assert {"failed"} == {context(each)["why"] for each in letters}
    assert all(int(context(each)["attempts"]) > 1 for each in letters)
    assert [b'{"answers":"e%d"}' % n for n in range(60) if n not in {13, 14, 40}] == [
        each.value for each in await tally.published()
    ]


async def test_a_record_that_the_service_gives_up_is_kept_in_the_same_transaction(tally: Tally) -> None:
    """What the projection itself reports as failed is a dead letter too, without narrowing anything down."""
    await tally.ask(("t1", "e1"), ("t1", "e2", "poison-fold"), ("t1", "e3"))

    async with tally.running():
        await eventually(lambda: tally.has(3))

    [letter] = await tally.published(REQUESTS.dead_letters)
    assert tuple(context(letter)[name] for name in ("why", "error", "attempts")) == (
        "failed",
        "ValueError",
        "1",
    )


async def test_a_record_whose_failure_cannot_be_recorded_stops_the_process(tally: Tally) -> None:
    """Nothing is ever skipped: what can neither be applied nor recorded ends the process with what is to be done."""
    await tally.ask(("t1", "e1"), ("t1", "e2", "incurable"), ("t1", "e3"))

    with pytest.raises(Exception, match="can neither be applied nor be recorded as failed"):
        await tally.until_it_ends()

    assert [each["event_id"] for each in await tally.results()] == ["e1"]


def context(letter: ConsumerRecord) -> dict[str, str]:
    return {
        name.removeprefix(PREFIX): value.decode() for name, value in letter.headers if name.startswith(PREFIX)
    }
