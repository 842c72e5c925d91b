"""What would become of a dead letter that is redriven: a judgement on facts, made without asking anybody.

A redrive helps where the rules were not at fault: the record was misrouted, the service broke in passing, or what the
record needed came later. Where the rules are at fault the copy would fail as the record did; a release with other rules
and a replay apply the record at its own place.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from ops.deadletters.letter import DeadLetter
from schemas.codec import Event, Unreadable, decode
from schemas.decisions import ItemIgnored, ItemImported, ItemLinked
from schemas.imports import (
    ConnectionChanged,
    EntityStaged,
    ImportFact,
    ImportFailed,
    ImportRequested,
    ImportStaged,
    ImportStarted,
    ImportWaiting,
    ItemStaged,
)
from schemas.portal import ClientAdded, MemberRecorded, MemberRemoved
from schemas.topics import JOURNAL

Verdict = Literal["redrivable", "stale", "again", "settled", "hopeless"]
FORCEABLE: frozenset[Verdict] = frozenset({"stale", "again"})

REPLAY = (
    "Release what can process it, then `muster replay`: the record takes effect at its own place, and nothing has to "
    "be redriven."
)
PUBLISH_AGAIN = "Have its writer publish it again, mended, and discard this letter."
RELEASE = "Release what can process it, then redrive it."
NOTHING_TO_DO = "Nothing has to be redriven: discard the letter."
FORCE = "Look at both; if the old one is really to be applied on top, redrive it with --force."


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdict, why, and what to do."""

    verdict: Verdict
    why: str = ""
    advice: str = ""


@dataclass(frozen=True, slots=True)
class Decided:
    """What a record of the journal came to."""

    partition: int
    offset: int
    result: str
    reason: str | None
    event_type: str | None
    content: bytes | None
    at: datetime

    @property
    def place(self) -> str:
        return f"{JOURNAL.name}[{self.partition}]@{self.offset}"


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known about a letter: its own record's decision, whoever has its id, and what is newer.

    `rules` are those of the live tables, `our_rules` this release's.
    """

    rules: int
    our_rules: int
    own: Decided | None = None
    claim: Decided | None = None
    newer: Decided | None = None


@dataclass(frozen=True, slots=True)
class Subject:
    """What an event is about, so that newer facts of the same can be looked for; `types` only of these events."""

    kind: Literal["item", "member", "client", "tenant"]
    id: str
    types: Sequence[str] = ()


IMPORT_FACTS = (
    ImportStarted.TYPE,
    ImportWaiting.TYPE,
    EntityStaged.TYPE,
    ImportStaged.TYPE,
    ImportFailed.TYPE,
)


def event_of(letter: DeadLetter) -> Event | Unreadable:
    """The record as this release reads it."""
    if letter.source is None:
        return Unreadable("unknown_type", "the letter does not say which group of ours kept it")
    try:
        event = decode(letter.value, letter.source)
    except Unreadable as why:
        return why
    if letter.key != event.tenant_id.encode():
        return Unreadable("misrouted", "the key is not the tenant's id")
    return event


def subject_of(event: Event) -> Subject | None:
    """What newer facts would have to be about; None where order is looked after by versions."""
    data = event.data
    match data:
        case ItemImported() | ItemIgnored() | ItemLinked() | ItemStaged():
            found = Subject("item", data.item_id)
        case MemberRecorded() | MemberRemoved():
            found = Subject("member", data.member_id)
        case ClientAdded() | EntityStaged():
            found = Subject("client", data.client_id, (ClientAdded.TYPE, EntityStaged.TYPE))
        case ImportRequested():
            found = Subject("client", data.client_id, (ImportStarted.TYPE,))
        case ImportFact():
            found = Subject("client", data.client_id, IMPORT_FACTS)
        case ConnectionChanged():
            found = Subject("tenant", event.tenant_id, (ConnectionChanged.TYPE,))
        case _:
            return None
    return found


def judge(letter: DeadLetter, event: Event | Unreadable, facts: Facts) -> Judgement:
    """Decide."""
    if letter.source is None:
        return Judgement("hopeless", "no service of ours has kept it", "Look at it, then discard it.")
    if isinstance(event, Unreadable):
        return _unreadable(letter, event)
    for found in (_settled(letter, event, facts), _again(letter, facts), _stale(facts)):
        if found is not None:
            return found
    return Judgement("redrivable")


def _unreadable(letter: DeadLetter, why: Unreadable) -> Judgement:
    if why.why == "misrouted":
        return Judgement(
            "hopeless", "its key is not its tenant, and a copy keeps its key: misrouted again", PUBLISH_AGAIN
        )
    advice = (
        f"{PUBLISH_AGAIN} If the record is right: {REPLAY}" if letter.source is JOURNAL else PUBLISH_AGAIN
    )
    return Judgement("hopeless", f"this release can't read it either: {why.why}", advice)


def _settled(letter: DeadLetter, event: Event, facts: Facts) -> Judgement | None:
    if letter.source is not JOURNAL:
        return None
    if facts.own is not None and facts.own.result in {"applied", "rejected"}:
        return Judgement("settled", f"the record itself was {facts.own.result}, by a replay", NOTHING_TO_DO)
    if facts.claim is None:
        return None
    if facts.claim.content != event.content:
        return Judgement(
            "hopeless",
            f"its id belongs to another event by now, at {facts.claim.place}: id_reused",
            PUBLISH_AGAIN,
        )
    return Judgement(
        "settled", f"the same event was {facts.claim.result} at {facts.claim.place}", NOTHING_TO_DO
    )


def _again(letter: DeadLetter, facts: Facts) -> Judgement | None:
    if letter.error.endswith("IdReused"):
        return Judgement("hopeless", "another request was made under its id", PUBLISH_AGAIN)
    if letter.source is not JOURNAL or letter.why == "misrouted":
        return None
    if facts.rules != facts.our_rules:
        return Judgement(
            "again",
            f"the live tables are by rules {facts.rules}, and this release has rules {facts.our_rules}",
            "A replay by this release applies the record at its own place: `muster replay`.",
        )
    if letter.why != "failed":
        return None
    return Judgement(
        "again", f"the resolver broke on it under rules {facts.rules}, which are still the same", REPLAY
    )


def _stale(facts: Facts) -> Judgement | None:
    if facts.newer is None:
        return None
    when = f"{facts.newer.at:%Y-%m-%d %H:%M:%S}"
    return Judgement(
        "stale",
        f"{facts.newer.event_type} of the same was applied since, at {facts.newer.place}, {when}",
        FORCE,
    )
