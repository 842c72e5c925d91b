"""Dead letters read back, chosen and judged, without a broker."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import pytest

from ops.deadletters.choice import Choice
from ops.deadletters.judging import Decided, Facts, event_of, judge, subject_of
from ops.deadletters.letter import read
from ops.deadletters.masking import masked
from ops.deadletters.options import Options
from ops.deadletters.redriving import copy_of, goes
from ops.ending import Misused
from schemas.imports import ImportRequested
from schemas.people import AmendedPerson
from schemas.portal import MemberRecorded
from schemas.topics import JOURNAL, REQUESTS
from tests.support.operating import event
from worker import redrive
from worker.deadletters import PREFIX

AT = datetime(2026, 11, 25, tzinfo=UTC)
SAME_RULES = Facts(rules=3, our_rules=3)
MEMBER = event(
    MemberRecorded(member_id="ann", client_id="oak", personal=AmendedPerson(name="Ann")), "t", "e1"
)


@dataclass
class Raw:
    value: bytes | None = MEMBER
    key: bytes | None = b"t"
    topic: str = "muster.journal.dead-letters"
    partition: int = 0
    offset: int = 9
    timestamp: int = 1_000
    headers: Sequence[tuple[str, bytes | None]] = field(default_factory=list)


def letter(why: str = "failed", topic: str = JOURNAL.name, own=(), **raw):
    said = {"id": "abcd-1", "group": "resolver", "why": why, "detail": "", "topic": topic, "partition": "2"}
    said |= {"offset": "7", "timestamp": "1970-01-01T00:00:00.500Z", "attempts": "3", "error": "ValueError"}
    headers = [*own, *((PREFIX + name, text.encode()) for name, text in said.items())]
    return read(Raw(headers=headers, **raw))


def decided(result: str = "applied", content: bytes = b"") -> Decided:
    return Decided(2, 30, result, None, "muster.member.recorded.v1", content, AT)


def test_a_letter_says_where_it_came_from_and_keeps_the_record_apart():
    """Our headers are taken off, and those of an earlier redrive; the record's own stay."""
    own = [("trace", b"1"), (redrive.GROUP, b"resolver"), (redrive.LETTER, b"x"), (redrive.COUNT, b"2")]
    found = letter(own=own)

    assert (found.id, found.group, found.place) == ("abcd-1", "resolver", "muster.journal[2]@7")
    assert (found.timestamp, found.kept_at, found.redrives) == (500, 1_000, 2)
    assert (found.tenant_id, found.event_id, found.event_type) == ("t", "e1", "muster.member.recorded.v1")
    assert found.headers == [("trace", b"1")]


@pytest.mark.parametrize(
    "headers", [[], [(PREFIX + "offset", b"x"), (PREFIX + "timestamp", b"soon")], [(PREFIX + "why", None)]]
)
def test_what_anybody_writes_into_the_topic_can_be_read(headers):
    """It is nobody's letter, has an id all the same, and can't be redriven."""
    found = read(Raw(value=b"\xff", key=b"\xff", headers=headers))

    assert (found.source, found.tenant_id, found.event_type) == (None, "", "")
    assert found.id == read(Raw(value=b"other", headers=headers)).id
    assert judge(found, event_of(found), SAME_RULES).verdict == "hopeless"


def test_a_choice_means_what_fits_all_that_is_said():
    """Ids by their beginnings; times by when the letter was kept; open ones unless it says otherwise."""
    found = letter("misrouted")

    for choice in (
        Choice(),
        Choice(ids=["abcd"]),
        Choice(why="misrouted", tenant="t", group="resolver", topic="muster.journal"),
        Choice(type="muster.member.recorded.v1", since=1_000, until=1_001),
        Choice(topic="muster.journal.dead-letters"),
    ):
        assert choice.means(found, "open"), choice
    for choice in (
        Choice(ids=["abce"]),
        Choice(why="failed"),
        Choice(tenant="u"),
        Choice(since=1_001),
        Choice(until=1_000),
        Choice(state="redriven"),
    ):
        assert not choice.means(found, "open"), choice
    assert Choice(state=None).means(found, "discarded")
    assert not Choice().narrows
    assert Choice(tenant="t").arguments() == {"tenant": "t", "state": "open"}
    with pytest.raises(Misused, match="too short"):
        Choice(ids=["abc"])


@pytest.mark.parametrize(
    ("found", "facts", "verdict", "words"),
    [
        (letter("misrouted"), SAME_RULES, "redrivable", ""),
        (letter(), SAME_RULES, "again", "under rules 3, which are still the same"),
        (letter(), replace(SAME_RULES, our_rules=4), "again", "rules 3, and this release has rules 4"),
        (
            letter("misrouted"),
            replace(SAME_RULES, newer=decided()),
            "stale",
            "applied since, at muster.journal[2]@30",
        ),
        (letter(), replace(SAME_RULES, own=decided()), "settled", "by a replay"),
        (letter("misrouted"), replace(SAME_RULES, own=decided("unreadable")), "redrivable", ""),
        (letter(key=b"u"), SAME_RULES, "hopeless", "its key is not its tenant"),
        (letter("not_json", value=b"{"), SAME_RULES, "hopeless", "can't read it either: not_json"),
        (letter("not_schema"), SAME_RULES, "redrivable", ""),
        (
            letter("misrouted"),
            replace(SAME_RULES, claim=decided(content=event_of(letter()).content)),
            "settled",
            "the same event was applied",
        ),
        (letter("misrouted"), replace(SAME_RULES, claim=decided(content=b"x")), "hopeless", "id_reused"),
    ],
)
def test_a_letter_is_judged_by_what_is_known(found, facts, verdict, words):
    """What helps, what would only be failing again, and what is over already."""
    judgement = judge(found, event_of(found), facts)

    assert judgement.verdict == verdict
    assert words in judgement.why
    assert verdict == "redrivable" or judgement.advice
    assert goes(judgement, force=False) == (verdict == "redrivable")
    assert goes(judgement, force=True) == (verdict in {"redrivable", "stale", "again"})


def test_a_request_is_about_its_client():
    """A later import of the same client makes it stale."""
    value = event(ImportRequested(client_id="oak", requested_by="Ada"), "t", "i")
    found = letter(topic=REQUESTS.name, value=value)

    subject = subject_of(event_of(found))

    assert (subject.kind, subject.id, subject.types) == ("client", "oak", ("muster.import.started.v1",))
    assert judge(found, event_of(found), SAME_RULES).verdict == "redrivable"


def test_a_copy_is_the_record_with_whom_it_is_for():
    """Key, bytes and its own headers; nothing of why it was kept."""
    copy = copy_of(letter(own=[("trace", b"1")]), 2)

    assert (copy.topic, copy.key, copy.value) == (JOURNAL, b"t", MEMBER)
    assert copy.headers == [
        ("trace", b"1"),
        (redrive.GROUP, b"resolver"),
        (redrive.LETTER, b"abcd-1"),
        (redrive.COUNT, b"2"),
    ]


def test_personal_values_are_masked_wherever_their_block_stands():
    """The fields stay, so that a person sees what there is."""
    shown = masked(
        {"id": 1, "data": {"personal": {"name": "Ann", "more": [{"a": "b"}], "gone": None}}, "list": [{}]}
    )

    assert shown == {
        "id": 1,
        "data": {"personal": {"name": "…", "more": [{"a": "…"}], "gone": None}},
        "list": [{}],
    }


@pytest.mark.parametrize(
    "document", ["John", ["John"], {"data": "John"}, {"data": {"nickname": "John"}}, {"John": 1}]
)
def test_what_the_schema_has_no_name_for_is_masked(document):
    """Whoever writes what nobody knows may have put anything into it."""
    assert "John" not in str(
        list(masked(document).values()) if isinstance(document, dict) else masked(document)
    )


def test_what_the_schema_has_a_name_for_is_shown():
    """Ids, kinds and numbers, also in lists."""
    event = {"id": "e1", "data": {"item_ids": ["a", "b"], "left_out": {"ended": 1}}}
    assert masked(event) == event


@pytest.mark.parametrize(
    ("said", "complaint"),
    [
        ({"why": "nojson"}, "No letter is kept for 'nojson'"),
        ({"topic": "muster.jurnal"}, "'muster.jurnal' has no dead letters"),
        ({"state": "lost"}, "There is no state 'lost'"),
        ({"since": "1h", "until": "2h"}, "--since has to be before --until"),
    ],
)
def test_options_that_can_mean_no_letter_are_refused(said, complaint):
    """Rather than answered with none."""
    with pytest.raises(Misused, match=complaint):
        Options(**said).choice()
