"""What journals reach of the rules: reasons by type of event, changes of state, and effects beyond those."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from tests.support.journals.composer import Journal
from tests.support.journals.entries import Entry
from tests.support.model.fold import Answer
from tests.support.model.practice import Practice
from tests.support.model.records import Row

Change = tuple[str | None, str]


@dataclass
class Reach:
    """`refusals` are pairs of event type and reason, `item_changes` and `import_changes` pairs of states.

    `practices` are the tenants as they are by now in the journal that is being noted.
    """

    refusals: set[tuple[str, str | None]] = field(default_factory=set)
    unreadable: set[str | None] = field(default_factory=set)
    results: set[str] = field(default_factory=set)
    item_changes: set[Change] = field(default_factory=set)
    import_changes: set[Change] = field(default_factory=set)
    effects: set[str] = field(default_factory=set)
    practices: dict[str, Practice] = field(default_factory=dict)

    def __len__(self) -> int:
        changes = len(self.item_changes) + len(self.import_changes)
        return len(self.refusals) + len(self.unreadable) + len(self.results) + changes + len(self.effects)

    def note(self, entries: Iterable[Entry], answers: Iterable[Answer]) -> None:
        """Note what a journal reaches, or the next part of the journal of the last call."""
        for entry, answer in zip(entries, answers, strict=True):
            self.results.add(answer.result)
            if answer.result == "unreadable":
                self.unreadable.add(answer.reason)
            elif answer.result in ("applied", "rejected") and answer.after is not None:
                self._note(entry, answer, answer.after)

    def _note(self, entry: Entry, answer: Answer, after: Practice) -> None:
        kind = type(entry.record().data).__name__
        before = self.practices.get(entry.tenant_id, Practice(entry.tenant_id))
        self.practices[entry.tenant_id] = after
        self.refusals.add((kind, answer.reason))
        self.item_changes |= _changes(before.items, answer.items.values(), "item_id", "state")
        self.import_changes |= _changes(before.imports, answer.imports.values(), "import_id", "status")
        self.effects |= {f"{effect} by {kind}" for effect in _effects(before, after, answer)}


def _changes(before: dict[str, Row], rows: Iterable[Row], key: str, state: str) -> set[Change]:
    pairs = {(before[row[key]][state] if row[key] in before else None, row[state]) for row in rows}
    return {(old, new) for old, new in pairs if old != new}


def _effects(before: Practice, after: Practice, answer: Answer) -> Iterator[str]:
    """What happened besides, in a few words."""
    had, have = before.emails(), after.emails()
    if had.keys() - have.keys():
        yield "e-mail freed"
    if have.keys() - had.keys():
        yield "e-mail taken"
    for item in answer.items.values():
        if item["state"] == "withdrawn":
            yield f"withdrawn as {item['reason']}"
        if not item["in_xpm"] and before.items[item["item_id"]]["in_xpm"]:
            yield "no longer in XPM"
    for each in answer.replaced:
        yield f"{each.of} replaced"
    for member_id in answer.members.keys() & before.members.keys():
        yield from _kept(before.members[member_id], after.members[member_id])
    for run in answer.imports.values():
        if run["status"] in ("completed", "failed"):
            yield f"import {run['status']}"


def _kept(before: Row, after: Row) -> Iterator[str]:
    """Fields of which XPM has something else by now, and that were kept all the same."""
    for name, mark in after["provenance"].items():
        news = mark.get("xpm") != before["provenance"].get(name, {}).get("xpm")
        if news and "xpm" in mark and mark["xpm"] != after["details"].get(name):
            yield "staff's value kept" if mark["by"] == "staff" else "co-owner's e-mail kept"


def reach(journals: Iterable[Journal]) -> Reach:
    """What these journals reach together."""
    reached = Reach()
    for journal in journals:
        reached.practices = {}
        reached.note(journal.entries, journal.answers)
    return reached


REASONS = {
    "ClientAdded": "name_required xpm_client_taken email_invalid email_taken",
    "MemberRecorded": "client_not_found member_not_found member_removed name_required email_invalid email_required "
    "email_taken",
    "MemberRemoved": "client_not_found member_not_found member_removed",
    "ConnectionChanged": "",
    "ImportStarted": "import_already_started",
    "ImportWaiting": "import_not_started superseded import_ended",
    "ImportFailed": "import_not_started superseded import_ended",
    "EntityStaged": "import_not_started superseded import_ended client_not_found xpm_client_mismatch older_details",
    "ItemStaged": "import_not_started superseded import_ended client_not_found xpm_client_mismatch "
    "item_of_another_client already_staged",
    "ImportStaged": "import_not_started superseded import_ended client_not_found xpm_client_mismatch",
    "ItemImported": "item_not_found item_withdrawn already_decided changed_since_seen email_invalid email_required "
    "email_taken member_exists",
    "ItemIgnored": "item_not_found item_withdrawn already_decided",
    "ItemLinked": "item_not_found item_withdrawn already_decided member_not_found member_removed "
    "member_already_linked changed_since_seen",
}
"""Why an event of each type may be refused, besides `id_reused`: as docs/rules.md says."""

REFUSALS: set[tuple[str, str | None]] = {
    (kind, reason) for kind, reasons in REASONS.items() for reason in (*reasons.split(), "id_reused", None)
}
UNREADABLE = {"not_json", "not_schema", "unknown_type", "misrouted"}
RESULTS = {"applied", "rejected", "repeated", "failed", "unreadable"}
ITEM_CHANGES: set[Change] = {
    *((None, state) for state in ("pending", "attached")),
    *(("pending", state) for state in ("imported", "linked", "ignored", "attached", "withdrawn")),
    *((state, "withdrawn") for state in ("imported", "linked", "attached")),
    *((state, "pending") for state in ("ignored", "withdrawn", "imported", "linked", "attached")),
    *((state, "attached") for state in ("ignored", "withdrawn", "imported", "linked")),
}
"""Decided items become pending or attached where their party changed."""

IMPORT_CHANGES: set[Change] = {
    (None, "fetching"),
    ("fetching", "ready_for_review"),
    ("fetching", "in_review"),
    ("ready_for_review", "in_review"),
    *(
        (status, end)
        for status in ("fetching", "ready_for_review", "in_review")
        for end in ("completed", "failed", "superseded")
    ),
}
EFFECTS = {
    *(f"e-mail taken by {kind}" for kind in ("ClientAdded", "MemberRecorded", "ItemImported")),
    *(f"e-mail freed by {kind}" for kind in ("ClientAdded", "MemberRecorded", "MemberRemoved")),
    "withdrawn as not_in_xpm by ImportStaged",
    "withdrawn as member_removed by MemberRemoved",
    "withdrawn as client_repointed by ClientAdded",
    "no longer in XPM by ImportStaged",
    "client replaced by EntityStaged",
    *(f"member replaced by {kind}" for kind in ("ItemStaged", "ItemLinked")),
    "staff's value kept by ItemStaged",
    *(f"co-owner's e-mail kept by {kind}" for kind in ("ItemStaged", "ItemLinked")),
    *(f"import failed by {kind}" for kind in ("ImportFailed", "EntityStaged", "ItemStaged", "ImportStaged")),
    *(f"import completed by {kind}" for kind in ("ImportStaged", "ItemStaged", "ClientAdded")),
    *(f"import completed by {kind}" for kind in ("ItemImported", "ItemIgnored", "ItemLinked")),
}
