"""Streams end when whoever opened them signs out, and otherwise in time."""

import asyncio
import time
from collections.abc import AsyncGenerator

from services.portal.people import Person
from services.portal.sessions import RENEWED_AFTER_SECONDS, Sessions, last_words, seconds_left, until_over


def person(session: str | None = "s1", until: float | None = None) -> Person:
    return Person("practice", "Anna", "Oak & Co", "staff", session=session, until=until)


async def frames(*before: bytes) -> AsyncGenerator[bytes, None]:
    """These, and then nothing for ever."""
    for each in before:
        yield each
    await asyncio.Event().wait()


async def test_who_signs_out_ends_the_streams_of_that_session_and_no_other() -> None:
    """At once, and each says why."""
    sessions = Sessions()
    with sessions.stream(person("s1")) as mine, sessions.stream(person("s2")) as other:
        stream = until_over(frames(b"one"), mine)
        assert await anext(stream) == b"one"
        sessions.end(person("s1"))

        assert [each async for each in stream] == [last_words("signed_out")]
        assert not other.is_set()


async def test_a_stream_that_ends_by_itself_says_no_more() -> None:
    async def two() -> AsyncGenerator[bytes, None]:
        yield b"one"
        yield b"two"

    assert [each async for each in until_over(two(), asyncio.Event())] == [b"one", b"two"]


async def test_nothing_is_left_of_a_stream_that_nobody_takes_on() -> None:
    """What waited for the next frame is gone with it."""
    stream = until_over(frames(b"one"), asyncio.Event())
    await anext(stream)
    await stream.aclose()

    assert len(asyncio.all_tasks()) == 1


def test_a_stream_lasts_no_longer_than_the_session() -> None:
    """And a few minutes at most."""
    assert seconds_left(person()) == RENEWED_AFTER_SECONDS
    assert seconds_left(person(until=time.time() + 3600)) == RENEWED_AFTER_SECONDS
    assert 8 < seconds_left(person(until=time.time() + 10)) <= 10
    assert seconds_left(person(until=time.time() - 10)) == 0
