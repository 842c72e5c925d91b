"""Journals told by hand, one event after the other, to a resolver: the model, or the real one."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from schemas.decisions import ItemIgnored, ItemImported, ItemLinked
from schemas.envelope import EventData
from schemas.ids import item_id
from schemas.imports import (
    EntityStaged,
    ImportFailed,
    ImportStaged,
    ImportStarted,
    ImportWaiting,
    ItemStaged,
)
from schemas.portal import ClientAdded, MemberRecorded, MemberRemoved
from tests.support.journals.entries import PARTITION_OF, SENT_AT, Entry, document, encoded
from tests.support.model.fold import Answer, Model, Tables
from tests.support.model.records import Row
from tests.support.resolving.core import Core, Told

FIRST_AT = 1_795_424_400_123
UNTIL = "2026-11-24T00:00:00Z"


@dataclass(frozen=True, slots=True)
class Reply:
    """What a record came to, in words that both resolvers share."""

    result: str
    reason: str | None
    claims_id: bool
    first_offset: int | None
    earlier: Row = field(default_factory=dict)
    present: Mapping[str, Row] = field(default_factory=dict)
    replaced: frozenset[tuple[str, str, str, str, str]] = frozenset()


class Resolver(Protocol):
    def take(self, entry: Entry) -> Reply: ...

    def tables(self) -> Tables: ...


class ModelResolver:
    """The model, as a story's listener."""

    def __init__(self) -> None:
        self.model = Model()

    def take(self, entry: Entry) -> Reply:
        answer = self.model.take(entry.record())
        return Reply(
            *_verdict(answer),
            earlier=dict(answer.earlier or {}),
            present={kind: _details(row) for kind, row in (answer.present or {}).items()},
            replaced=frozenset(
                (each.of, each.id, each.field, each.before, each.after) for each in answer.replaced
            ),
        )

    def tables(self) -> Tables:
        return self.model.tables()


class CoreResolver:
    """The resolver's pure core, as a story's listener."""

    def __init__(self) -> None:
        self.core = Core()

    def take(self, entry: Entry) -> Reply:
        (told,) = self.core.take([entry])
        outcome = told.parts[0].data.model_dump(exclude_none=True) if told.parts else {}
        personal = outcome.get("personal", {})
        present = {kind: personal[kind] for kind in ("item", "member") if kind in personal}
        replaced = [
            (each["of"], each["id"], each["field"], each["before"], each["after"])
            for each in personal.get("replaced", [])
        ]
        return Reply(
            *_verdict(told),
            earlier=outcome.get("earlier", {}),
            present={kind: _details(row) for kind, row in present.items()},
            replaced=frozenset(replaced),
        )

    def tables(self) -> Tables:
        return self.core.tables()


def _verdict(said: Answer | Told) -> tuple[str, str | None, bool, int | None]:
    return said.result, said.reason, said.claims_id, said.first_offset


def _details(row: Mapping[str, Any]) -> Row:
    """The details in the model's row of an item or member, or as an outcome tells them."""
    if "personal" in row:
        return {**row["personal"], "relationship": row["relationship"]["type"]}
    return (
        dict(row["details"]) if "details" in row else {name: row[name] for name in row if name != "co_owner"}
    )


def _taken(fields: Row, *names: str) -> Row:
    """These fields, taken out of the others."""
    return {name: fields.pop(name) for name in names if name in fields}


class Story:
    """One tenant's part of the journal. Every verb publishes one event and returns what it came to."""

    def __init__(self, resolver: Resolver, tenant_id: str = "north") -> None:
        self.resolver = resolver
        self.tenant_id = tenant_id
        self.entries: list[Entry] = []

    def of_tenant(self, tenant_id: str) -> "Story":
        """The same journal, told by another tenant."""
        other = Story(self.resolver, tenant_id)
        other.entries = self.entries
        return other

    def publish(
        self,
        kind: type[EventData],
        data: Mapping[str, Any],
        *,
        event_id: str | None = None,
        broken: bool = False,
        **envelope: Any,
    ) -> Reply:
        event = document(self.tenant_id, event_id or f"e{len(self.entries)}", kind.TYPE, "subject", data)
        return self.append(encoded(event | envelope), broken=broken)

    def append(self, value: bytes, *, broken: bool = False) -> Reply:
        at = len(self.entries)
        partition = PARTITION_OF[self.tenant_id]
        entry = Entry(partition, at, FIRST_AT + 1000 * at, self.tenant_id, value, broken=broken)
        self.entries.append(entry)
        return self.resolver.take(entry)

    def again(self, at: int = -1, **envelope: Any) -> Reply:
        """An earlier record once more, under its id; `envelope` says what is different."""
        return self.append(encoded(json.loads(self.entries[at].value) | envelope))

    def add_client(self, client_id: str = "c1", **fields: Any) -> Reply:
        return self.amend_client(client_id, **{"name": "Acme", "xpm_client_id": f"x-{client_id}"} | fields)

    def amend_client(self, client_id: str = "c1", **fields: Any) -> Reply:
        top = _taken(fields, "xpm_client_id", "added_by")
        return self.publish(ClientAdded, {"client_id": client_id, **top, "personal": fields})

    def record_member(self, member_id: str = "m1", client_id: str = "c1", **fields: Any) -> Reply:
        top = _taken(fields, "co_owner", "relationship")
        data = {"member_id": member_id, "client_id": client_id, **top, "personal": fields}
        return self.publish(MemberRecorded, data)

    def remove_member(self, member_id: str = "m1", client_id: str = "c1") -> Reply:
        return self.publish(MemberRemoved, {"member_id": member_id, "client_id": client_id})

    def start(self, import_id: str, client_id: str = "c1", **fields: Any) -> "Run":
        run = Run(self, import_id, client_id)
        run.reply = run.publish(ImportStarted, {"requested_by": "Sam", **fields})
        return run

    def run_import(self, import_id: str, *ties: str, client_id: str = "c1", **details: Any) -> "Run":
        """A whole import of relationships, all with the same details but for their party's name."""
        run = self.start(import_id, client_id)
        for tie in ties:
            assert run.item(tie, **details).result == "applied"
        assert run.stage_list(*ties).result == "applied"
        return run

    def item_id(self, tie: str, client_id: str = "c1") -> str:
        """The id of a relationship's item. A tie is named `party-type`, or `party-type-number`."""
        party, kind = tie.split("-")[:2]
        return item_id(
            self.tenant_id,
            client_id,
            xpm_relationship_id=tie,
            xpm_party_id=party,
            relationship_type=kind,
            start_date=None,
        )

    def import_item(self, tie: str, *, client_id: str = "c1", **fields: Any) -> Reply:
        top = _taken(fields, "co_owner", "relationship", "seen")
        event_id = fields.pop("event_id", None)
        data = {
            "seen": {"item": self.digest_of("items", self.item_id(tie, client_id))},
            **top,
            "personal": fields,
        }
        return self._decide(ItemImported, tie, client_id, data, event_id)

    def ignore(self, tie: str, *, client_id: str = "c1") -> Reply:
        return self._decide(ItemIgnored, tie, client_id, {})

    def link(self, tie: str, member_id: str, *, client_id: str = "c1", **seen: str) -> Reply:
        digests = {
            "item": self.digest_of("items", self.item_id(tie, client_id)),
            "member": self.digest_of("members", member_id),
        }
        return self._decide(ItemLinked, tie, client_id, {"member_id": member_id, "seen": digests | seen})

    def _decide(
        self,
        kind: type[EventData],
        tie: str,
        client_id: str,
        data: Mapping[str, Any],
        event_id: str | None = None,
    ) -> Reply:
        item = {"item_id": self.item_id(tie, client_id), "decided_by": "Kim"}
        return self.publish(kind, {**item, **data}, event_id=event_id)

    def digest_of(self, table: str, key: str) -> str:
        row = self._row(table, key)
        return row["digest"] if row else "0" * 32

    def client(self, client_id: str = "c1") -> Row:
        return self._row("clients", client_id) or {}

    def member(self, member_id: str = "m1") -> Row:
        return self._row("members", member_id) or {}

    def item(self, tie: str, client_id: str = "c1") -> Row:
        return self._row("items", self.item_id(tie, client_id)) or {}

    def imported(self, import_id: str) -> Row:
        return self._row("imports", import_id) or {}

    def counts(self, import_id: str) -> Row:
        """The import's numbers that are not 0."""
        return {name: number for name, number in self.imported(import_id)["counts"].items() if number}

    def party_link(self, party: str, client_id: str = "c1") -> Row:
        found = [
            row for row in self.rows("links") if (row["client_id"], row["xpm_party_id"]) == (client_id, party)
        ]
        return found[0] if found else {}

    def emails(self) -> dict[str, str | None]:
        """Who holds which e-mail: a member, or None for a client's account."""
        return {row["email"]: row["member_id"] for row in self.rows("co_owner_emails")}

    def rows(self, table: str) -> Sequence[Row]:
        return [row for row in self.resolver.tables()[table] if row["tenant_id"] == self.tenant_id]

    def _row(self, table: str, key: str) -> Row | None:
        column = {"clients": "client_id", "members": "member_id", "items": "item_id", "imports": "import_id"}
        return next((row for row in self.rows(table) if row[column[table]] == key), None)


@dataclass
class Run:
    """An import and its facts. `reply` is what its start came to, `at` its offset."""

    story: Story
    import_id: str
    client_id: str
    reply: Reply | None = None

    def __post_init__(self) -> None:
        self.at = len(self.story.entries)

    def publish(self, kind: type[EventData], data: Mapping[str, Any]) -> Reply:
        of = {"import_id": self.import_id, "client_id": self.client_id, "requested_at": SENT_AT}
        return self.story.publish(kind, {**of, **data})

    def wait(self, until: str = UNTIL, why: str = "quota_day") -> Reply:
        return self.publish(ImportWaiting, {"until": until, "why": why})

    def fail(self, reason: str = "not_connected") -> Reply:
        return self.publish(ImportFailed, {"reason": reason, "message": "Connect first."})

    def entity(self, xpm_client_id: str | None = None, **details: Any) -> Reply:
        xpm = {"xpm_client_id": xpm_client_id or f"x-{self.client_id}"}
        return self.publish(EntityStaged, {**xpm, "personal": {"name": "Acme", **details}})

    def item(self, tie: str, **fields: Any) -> Reply:
        """Stage a relationship. What is not named in `fields` follows from the tie's name."""
        party, kind = tie.split("-")[:2]
        data = {
            "item_id": self.story.item_id(tie, self.client_id),
            "xpm_client_id": f"x-{self.client_id}",
            "xpm_party_id": party,
        }
        data |= _taken(
            fields, "item_id", "xpm_client_id", "xpm_party_id", "archived", "stub", "details_as_of"
        )
        relationship = {"xpm_relationship_id": tie, "type": fields.pop("type", kind)}
        return self.publish(
            ItemStaged, {**data, "relationship": relationship, "personal": {"name": party} | fields}
        )

    def stage_list(
        self, *ties: str, also: Sequence[str] = (), xpm_client_id: str | None = None, **left_out: int
    ) -> Reply:
        """Give the list: these relationships' items, and the items `also` named by their ids."""
        data = {
            "xpm_client_id": xpm_client_id or f"x-{self.client_id}",
            "item_ids": [*(self.story.item_id(tie, self.client_id) for tie in ties), *also],
            "left_out": left_out,
        }
        return self.publish(ImportStaged, data)
