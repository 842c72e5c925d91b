"""A practice at work: its portal asks for imports, its staff decide, and its XPM changes and has trouble."""

import asyncio
import random
from dataclasses import dataclass, field

import httpx
from pydantic import JsonValue

from schemas.codec import encode
from schemas.decisions import ItemIgnored, ItemImported, ItemLinked, SeenItem, SeenItemAndMember
from schemas.envelope import EventData
from schemas.imports import ImportRequested
from schemas.people import AmendedClient, AmendedPerson
from schemas.portal import ClientAdded, MemberRecorded, MemberRemoved
from schemas.topics import JOURNAL, REQUESTS, Topic
from tests.support.chaos.known import Known, Thing
from tests.support.chaos.post import Post, Sending
from tests.support.chaos.rubbish import odd_but_whole

CLIENTS = 5
STAFF = ("Anna", "Ben")
EMAILS = ("ann@a.example", "bob@b.example", "cy@c.example", "Ann@A.example")
UNKNOWN = "00000000-0000-4000-8000-000000000000"
TROUBLE: tuple[dict[str, JsonValue], ...] = (
    {"kind": "throttle", "calls": 1, "seconds": 1},
    {"kind": "throttle", "calls": 2, "problem": "concurrent"},
    {"kind": "latency", "calls": 5, "seconds": 0.2},
    {"kind": "cut", "calls": 1},
    {"kind": "outage", "calls": 1},
    {"kind": "malformed", "calls": 1},
    {"kind": "error", "calls": 1},
    {"kind": "charset", "calls": 1},
    {"kind": "doctype", "calls": 1},
)


@dataclass
class Office:
    """One tenant's. The ids that it chooses are the same ones that every other office chooses."""

    tenant_id: str
    xpm_tenant: str | None
    sandbox: httpx.AsyncClient
    post: Post
    known: Known
    dice: random.Random
    clients: dict[str, str | None] = field(default_factory=dict)
    requests: list[Sending] = field(default_factory=list)
    _events: int = 0

    async def open(self) -> None:
        """Add clients: most of them linked to whoever has the most relationships in XPM."""
        linked = await self._xpm_clients()
        for number in range(CLIENTS):
            await self._add_client(f"client-{number}", linked[number] if number < len(linked) else UNKNOWN)
        await self._add_client("of-the-portal-only", None)

    async def work(self, over: asyncio.Event, per_second: float) -> None:
        """Do one thing after the other until it is over."""
        doings = [
            *[self._request] * 5,
            *[self._decide] * 16,
            *[self._record_member] * 4,
            self._remove_member,
            self._ask_again,
            self._reuse_id,
            self._change_xpm,
            self._trouble,
            self._send_oddly,
        ]
        while not over.is_set():
            await self.dice.choice(doings)()
            await asyncio.sleep(self.dice.expovariate(per_second))

    async def _xpm_clients(self) -> list[str]:
        if self.xpm_tenant is None:
            return []
        answer = await self.sandbox.get(f"/sandbox/practices/{self.xpm_tenant}/parties")
        parties = sorted(answer.json(), key=lambda party: len(party["relationships"]), reverse=True)
        return [party["uuid"] for party in parties if not party["deleted"]][: CLIENTS - 1]

    async def _add_client(self, client_id: str, xpm_client_id: str | None) -> None:
        self.clients[client_id] = xpm_client_id
        personal = AmendedClient(name=f"{client_id} Pty Ltd")
        await self._tell(ClientAdded(client_id=client_id, xpm_client_id=xpm_client_id, personal=personal))

    async def _request(self) -> None:
        client_id = self.dice.choice([*self.clients, "of-nobody"])
        xpm_client_id = self.clients.get(client_id, UNKNOWN)
        bulk_id = self.dice.choice((None, None, "bulk-0", "bulk-1"))
        asked = ImportRequested(
            client_id=client_id, xpm_client_id=xpm_client_id, requested_by="Anna", bulk_id=bulk_id
        )
        self.requests.append(self._event(REQUESTS, asked, self._new_id("import")))
        await self.post.send(self.requests[-1])

    async def _ask_again(self) -> None:
        if self.requests:
            await self.post.send(self.dice.choice(self.requests))

    async def _reuse_id(self) -> None:
        asked = ImportRequested(client_id="another", requested_by="Somebody else")
        used = self.dice.randrange(max(self._events, 1))
        await self.post.send(self._event(REQUESTS, asked, f"import-{used}"))

    async def _decide(self) -> None:
        items = self.known.items[self.tenant_id]
        pending = [item_id for item_id, item in items.items() if item.usable]
        some = pending if pending and self.dice.random() < 0.8 else list(items)
        if not some:
            return
        item_id = self.dice.choice(some)
        await self._tell(self._decision(item_id, items[item_id]))

    def _decision(self, item_id: str, item: Thing) -> EventData:
        by = self.dice.choice(STAFF)
        members = [
            (member_id, member)
            for member_id, member in self.known.members[self.tenant_id].items()
            if member.client_id == item.client_id and member.usable
        ]
        verb = self.dice.choice(("import", "ignore", "link"))
        if verb == "ignore":
            return ItemIgnored(item_id=item_id, decided_by=by)
        if verb == "link" and members:
            member_id, member = self.dice.choice(members)
            seen = SeenItemAndMember(item=item.digest, member=member.digest)
            return ItemLinked(item_id=item_id, member_id=member_id, decided_by=by, seen=seen)
        amended = self.dice.choice((None, AmendedPerson(email=self.dice.choice(EMAILS))))
        co_owner = self.dice.random() < 0.4
        seen_item = SeenItem(item=item.digest)
        return ItemImported(
            item_id=item_id, decided_by=by, seen=seen_item, co_owner=co_owner, personal=amended
        )

    async def _record_member(self) -> None:
        number = self.dice.randrange(8)
        personal = AmendedPerson(name=f"Member {number}", phone=str(self.dice.randrange(100)))
        member_id, client_id = f"member-{number}", f"client-{number % CLIENTS}"
        await self._tell(MemberRecorded(member_id=member_id, client_id=client_id, personal=personal))

    async def _remove_member(self) -> None:
        members = self.known.members[self.tenant_id]
        if members:
            member_id = self.dice.choice(list(members))
            await self._tell(MemberRemoved(member_id=member_id, client_id=members[member_id].client_id))

    async def _change_xpm(self) -> None:
        client = self.dice.choice(
            [each for each in self.clients.values() if each and each != UNKNOWN] or [""]
        )
        if not client:
            return
        where = f"/sandbox/practices/{self.xpm_tenant}/parties/{client}"
        relationships = (await self.sandbox.get(where)).json()["relationships"]
        fields = {"Phone": str(self.dice.randrange(10**6))}
        for each in self.dice.sample(relationships, min(2, len(relationships))):
            party = f"/sandbox/practices/{self.xpm_tenant}/parties/{each['party_uuid']}"
            await self.sandbox.patch(party, json={"fields": fields})

    async def _trouble(self) -> None:
        if self.xpm_tenant is not None:
            fault = self.dice.choice(TROUBLE)
            await self.sandbox.post("/sandbox/faults", json={**fault, "tenant": self.xpm_tenant})

    async def _send_oddly(self) -> None:
        await self.post.send(odd_but_whole(self.tenant_id, self._new_id("odd")))

    async def _tell(self, data: EventData) -> None:
        await self.post.send(self._event(JOURNAL, data, self._new_id("event")))

    def _new_id(self, kind: str) -> str:
        self._events += 1
        return f"{kind}-{self._events}"

    def _event(self, topic: Topic, data: EventData, event_id: str) -> Sending:
        value = encode(
            data,
            id=event_id,
            source="/portal",
            time="2026-11-23T09:00:00Z",
            subject="any",
            tenant_id=self.tenant_id,
        )
        return Sending(topic, self.tenant_id.encode(), value)
