"""Who is told what: watchers of their tenant only, each thing once, and callers their own answer."""

from dataclasses import dataclass

import pytest

from schemas.codec import encode
from schemas.outcomes import OutcomeRecorded, RecordRef, Version
from schemas.topics import OUTCOMES
from services.portal import news as telling
from services.portal.news import CLIENTS, EVERYTHING, News, of_client

AT = "2026-11-25T12:00:00.000Z"


@dataclass(frozen=True)
class Raw:
    value: bytes | None
    key: bytes | None
    topic: str = OUTCOMES.name
    partition: int = 0
    offset: int = 0


def outcome(tenant: str = "oak", command: str = "c1", part: int = 0, key: str | None = None) -> Raw:
    data = OutcomeRecorded(
        partition=0,
        version=Version(offset=1, swap=0),
        part=part,
        parts=2,
        record=RecordRef(id=command, type="muster.item.ignored.v1", subject="items/i", at=AT),
        result="applied",
        client_id="client",
    )
    value = encode(data, id=f"{tenant}/{part}", source="/t", time=AT, subject="s", tenant_id=tenant)
    return Raw(value, (key or tenant).encode())


async def test_a_watcher_is_told_of_their_own_tenant() -> None:
    """And of no other, whatever the key says."""
    news = News()
    with news.watching("oak") as oak, news.watching("elm") as elm:
        news.take(OUTCOMES, outcome())
        news.take(OUTCOMES, outcome("elm", key="oak"))

        assert await oak.changed(1) == {CLIENTS, of_client("client")}
        assert await elm.changed(0.01) == set()


async def test_what_nobody_can_read_is_passed_over() -> None:
    news = News()
    with news.watching("oak") as oak:
        news.take(OUTCOMES, Raw(b"nonsense", b"oak"))
        news.take(OUTCOMES, Raw(None, b"oak"))

        assert await oak.changed(0.01) == set()


async def test_a_watcher_that_does_not_keep_up_costs_a_few_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """However much happens, it is told to look at everything, once."""
    monkeypatch.setattr(telling, "MOST_AT_ONCE", 3)
    news = News()
    with news.watching("oak") as oak:
        for number in range(10):
            oak.tell(of_client(str(number)))

        assert await oak.changed(1) >= {EVERYTHING}
        assert await oak.changed(0.01) == set()


async def test_a_caller_is_given_the_outcome_of_their_command() -> None:
    """The first part of it, and only their tenant's."""
    news = News()
    with news.awaiting("oak", "c1") as answer, news.awaiting("elm", "c1") as other:
        news.take(OUTCOMES, outcome(part=1))
        assert not answer.done()
        news.take(OUTCOMES, outcome())

        assert (await answer).result == "applied"
        assert not other.done()


async def test_nothing_is_kept_of_who_has_left() -> None:
    news = News()
    with news.watching("oak"), news.awaiting("oak", "c1"):
        pass

    assert (news._watchers, news._waiting) == ({}, {})


async def test_after_a_gap_everybody_looks() -> None:
    news = News()
    with news.watching("oak") as oak:
        news.missed()

        assert await oak.changed(1) == {EVERYTHING}
