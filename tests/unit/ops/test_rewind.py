"""Where a rewind goes, decided without asking anybody."""

from datetime import UTC, datetime, timedelta

import pytest
from aiokafka import TopicPartition

from ops.ending import Misused
from ops.rewind import Earliest, Latest, Move, Offset, Plan, Since, chosen, never_forward, parse_target

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("earliest", Earliest()),
        ("latest", Latest()),
        ("1200", Offset(1200)),
        ("2h", Since(NOW - timedelta(hours=2))),
        ("2026-11-25T09:00:00Z", Since(datetime(2026, 11, 25, 9, tzinfo=UTC))),
    ],
)
def test_a_target_is_a_word_a_time_a_duration_or_an_offset(text, expected):
    """Each is told from the others by how it is written."""
    assert parse_target(text, NOW) == expected


@pytest.mark.parametrize("text", ["", "first", "-1", "1.5", "2 h", "٣"])
def test_anything_else_is_refused_with_what_could_be_said(text):
    """The sentence shows every form."""
    with pytest.raises(Misused, match="say earliest, latest, a time"):
        parse_target(text, NOW)


def test_a_service_stays_where_it_would_have_to_skip():
    """Back it goes; forward it does not."""
    moves = never_forward([Move("t", 0, now=10, new=3), Move("t", 1, now=10, new=12)])

    assert moves == [Move("t", 0, now=10, new=3), Move("t", 1, now=10, new=10)]
    plan = Plan("resolver", moves, "")
    assert (plan.again, plan.skipped, plan.moving) == (7, 0, moves[:1])


def test_one_topic_or_one_partition_can_be_chosen():
    """And a name that the group does not have is refused with those that it has."""
    places = [TopicPartition("a", 0), TopicPartition("a", 1), TopicPartition("b", 0)]

    assert chosen(places, None) == places
    assert chosen(places, "a") == places[:2]
    assert chosen(places, "a:1") == places[1:2]
    for nothing in ("c", "a:2", "a:x"):
        with pytest.raises(Misused, match=f"no position in {nothing}. It has some in: a, b"):
            chosen(places, nothing)
