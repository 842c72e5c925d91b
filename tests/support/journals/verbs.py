"""What can happen next: each verb appends the records of one thing that somebody does."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from schemas.decisions import ItemIgnored, ItemImported, ItemLinked
from schemas.ids import derived_id
from schemas.imports import ConnectionChanged
from schemas.portal import ClientAdded, MemberRecorded, MemberRemoved
from tests.support.journals.composer import Composer, Dice
from tests.support.journals.details import ABSENT, sent, typed, typed_client
from tests.support.journals.entries import document, encoded
from tests.support.journals.importing import (
    fail_import,
    need_client,
    publish_fact,
    run_import,
    start_import,
    wait,
)
from tests.support.journals.pools import (
    CLIENTS,
    EMAILS,
    MEMBERS,
    NAMES,
    RELATIONSHIP_WORDS,
    STAFF,
    TENANTS,
    UNKNOWN_CLIENT,
    XPM_CLIENT_OF,
)
from tests.support.model.decisions import item_digest, member_digest
from tests.support.model.records import Row

UNKNOWN = "unknown"
STALE = "0" * 32


def rest(composer: Composer, dice: Dice) -> None:
    """Nothing happens: what other verbs shrink to."""


def add_client(composer: Composer, dice: Dice) -> None:
    tenant_id, client_id = dice.pick(TENANTS), dice.pick(CLIENTS)
    name_needed = client_id not in composer.practice(tenant_id).clients and not dice.one_in(12)
    own = XPM_CLIENT_OF[client_id]
    data = {
        "client_id": client_id,
        "xpm_client_id": dice.pick((own, own, own, ABSENT, ABSENT, None, dice.pick(("x2", "x1", "x4")))),
        "added_by": dice.pick((ABSENT, *STAFF, None)),
        "personal": typed_client(dice, name_needed=name_needed),
    }
    composer.emit(tenant_id, ClientAdded, sent(data))


def record_member(composer: Composer, dice: Dice) -> None:
    tenant_id = dice.pick(TENANTS)
    member_id, client_id, is_new = _member_to_change(composer, dice, tenant_id)
    data = {
        "member_id": member_id,
        "client_id": client_id,
        "co_owner": dice.pick((ABSENT, True, True, True, False, None)),
        "relationship": dice.pick((ABSENT, ABSENT, *RELATIONSHIP_WORDS, None)),
        "recorded_by": dice.pick((ABSENT, *STAFF)),
        "personal": typed(dice, name_needed=is_new and not dice.one_in(12)),
    }
    composer.emit(tenant_id, MemberRecorded, sent(data))


def _member_to_change(composer: Composer, dice: Dice, tenant_id: str) -> tuple[str, str, bool]:
    need_client(composer, dice, tenant_id)
    practice = composer.practice(tenant_id)
    member_id = dice.pick([*practice.members, *MEMBERS])
    known = practice.members.get(member_id)
    usual = known["client_id"] if known else dice.pick([*practice.clients] or ["c1"])
    client_id = dice.pick((usual,) * 20 + (*CLIENTS, UNKNOWN_CLIENT))
    return member_id, client_id, known is None


def move_email(composer: Composer, dice: Dice) -> None:
    """Somebody gives a co-owner's e-mail up, and often somebody else takes it."""
    tenant_id = dice.pick(TENANTS)
    need_client(composer, dice, tenant_id)
    practice = composer.practice(tenant_id)
    held = [*practice.emails().values()]
    email = dice.pick(EMAILS)
    if held:
        holder = dice.pick(held)
        email = holder["email"].upper()
        _give_up_email(composer, dice, tenant_id, holder)
    if not held or dice.one_in(2):
        data = {
            "member_id": dice.pick(MEMBERS),
            "client_id": dice.pick([*practice.clients] or ["c1"]),
            "co_owner": True,
            "personal": {"name": dice.pick(NAMES), "email": email},
        }
        composer.emit(tenant_id, MemberRecorded, data)


def _give_up_email(composer: Composer, dice: Dice, tenant_id: str, holder: Row) -> None:
    other = dice.pick((None, *EMAILS))
    of = {"client_id": holder["client_id"]}
    if holder["member_id"] is None:
        composer.emit(tenant_id, ClientAdded, {**of, "personal": {"account_email": other}})
        return
    of["member_id"] = holder["member_id"]
    way = dice.pick(("change", "resign", "leave"))
    if way == "change":
        composer.emit(tenant_id, MemberRecorded, {**of, "personal": {"email": other}})
    elif way == "resign":
        composer.emit(tenant_id, MemberRecorded, {**of, "co_owner": False, "personal": {}})
    else:
        composer.emit(tenant_id, MemberRemoved, of)


def remove_member(composer: Composer, dice: Dice) -> None:
    tenant_id = dice.pick(TENANTS)
    member_id, client_id, _ = _member_to_change(composer, dice, tenant_id)
    composer.emit(
        tenant_id, MemberRemoved, {"member_id": member_id, "client_id": client_id, "removed_by": "Sam"}
    )


def _item_to_decide(composer: Composer, dice: Dice) -> tuple[str, str, Row | None]:
    """Mostly a pending item, brought by an import if need be; at times a decided one, another tenant's, or none."""
    tenant_id = dice.pick(TENANTS)
    if not composer.practice(tenant_id).items:
        run_import(composer, dice)
    own = composer.practice(tenant_id).items
    pending = [item_id for item_id, item in own.items() if item["state"] == "pending"]
    foreign = [item_id for each in composer.model.practices.values() for item_id in each.items]
    pool = dice.pick((pending or list(own),) * 10 + (list(own),) * 4 + (foreign, []))
    item_id = dice.pick(pool or [UNKNOWN])
    return tenant_id, item_id, own.get(item_id)


def _seen(dice: Dice, digest: str | None) -> str:
    return STALE if digest is None or dice.one_in(10) else digest


def import_item(composer: Composer, dice: Dice) -> None:
    tenant_id, item_id, item = _item_to_decide(composer, dice)
    data = {
        "item_id": item_id,
        "decided_by": dice.pick(STAFF),
        "seen": {"item": _seen(dice, item_digest(item) if item else None)},
        "co_owner": dice.pick((ABSENT, False, True)),
        "relationship": dice.pick((ABSENT, ABSENT, *RELATIONSHIP_WORDS, None)),
        "personal": dice.pick((ABSENT, None, *[typed(dice, name_needed=False)] * 4)),
    }
    composer.emit(tenant_id, ItemImported, sent(data))


def ignore_item(composer: Composer, dice: Dice) -> None:
    tenant_id, item_id, _ = _item_to_decide(composer, dice)
    composer.emit(tenant_id, ItemIgnored, {"item_id": item_id, "decided_by": dice.pick(STAFF)})


def link_item(composer: Composer, dice: Dice) -> None:
    tenant_id, item_id, item = _item_to_decide(composer, dice)
    practice = composer.practice(tenant_id)
    of_client = [
        member_id
        for member_id, each in practice.members.items()
        if item and each["client_id"] == item["client_id"]
    ]
    free = [
        each for each in of_client if not practice.link_of(each) and not practice.members[each]["removed"]
    ]
    pool = dice.pick((free or of_client,) * 8 + (of_client,) * 2 + (list(practice.members), []))
    member_id = dice.pick(pool or [UNKNOWN])
    member = practice.members.get(member_id)
    seen = {
        "item": _seen(dice, item_digest(item) if item else None),
        "member": _seen(dice, member_digest(member) if member else None),
    }
    data = {"item_id": item_id, "member_id": member_id, "decided_by": dice.pick(STAFF), "seen": seen}
    composer.emit(tenant_id, ItemLinked, data)


def take_the_members_place(composer: Composer, dice: Dice) -> None:
    """Record a member under the id that an import is about to derive."""
    tenant_id = dice.pick(TENANTS)
    practice = composer.practice(tenant_id)
    event_id = composer.new_id(tenant_id, "e")
    member_id = derived_id(tenant_id, "member", event_id)
    data = {
        "member_id": member_id,
        "client_id": dice.pick([*practice.clients, "c1"]),
        "personal": {"name": "Ann"},
    }
    composer.emit(tenant_id, MemberRecorded, data)
    composer.forced_id = event_id
    import_item(composer, dice)


def change_connection(composer: Composer, dice: Dice) -> None:
    states = ("connected", "reconnect_required", "disconnected")
    data = {
        "connection_id": "k1",
        "state": dice.pick(states),
        "changed_by": dice.pick((ABSENT, *STAFF)),
        "personal": dice.pick((ABSENT, {"practice_name": "Practice"})),
    }
    composer.emit(dice.pick(TENANTS), ConnectionChanged, sent(data))


def say_again(composer: Composer, dice: Dice) -> None:
    """An earlier record once more: the same, the same but for its envelope, other content, or another id."""
    readable = composer.readable()
    if not readable:
        return
    entry = dice.pick(readable[::-1])
    event = json.loads(entry.value)
    changes: Sequence[Mapping[str, Any]] = (
        {},
        {},
        {"time": "2026-11-23T09:00:01+02:00", "source": "somebody/else", "causationid": "c"},
        {"data": event["data"] | {"not_in_the_schema": 1}},
        {"subject": "another"},
        {"id": composer.new_id(event["tenantid"], "e")},
        {"id": composer.new_id(event["tenantid"], "e")},
    )
    composer.append(event["tenantid"], encoded(event | dict(dice.pick(changes))))


def reuse_id(composer: Composer, dice: Dice) -> None:
    """Whatever happens next, happens under an id that was used before."""
    readable = composer.readable()
    if readable:
        composer.forced_id = json.loads(dice.pick(readable[::-1]).value)["id"]


def make_noise(composer: Composer, dice: Dice) -> None:
    """A record that cannot be read, or a gap."""
    tenant_id = dice.pick(TENANTS)
    event = document(
        tenant_id, "noise", ClientAdded.TYPE, "c1", {"client_id": "c1", "personal": {"name": "Ann"}}
    )
    kinds: Sequence[Any] = (
        b"",
        b"not JSON",
        b"[]",
        b'"\xff"',
        b'{"lone": "\\ud800"}',
        encoded(event | {"specversion": "0.3"}),
        encoded(event | {"data": {"client_id": "c1", "personal": {"name": "NUL \x00"}}}),
        encoded(event | {"data": {"client_id": 1, "personal": {"name": "Ann"}}}),
        encoded(event | {"type": "muster.unheard.of.v1"}),
        encoded(event | {"type": "muster.import.requested.v1"}),
    )
    if dice.one_in(8):
        composer.skip(tenant_id)
    elif dice.one_in(8):
        composer.append(tenant_id, encoded(event), misrouted=True)
    else:
        composer.append(tenant_id, dice.pick(kinds))


def break_the_resolver(composer: Composer, dice: Dice) -> None:
    """A record on which the resolver breaks; its id is free afterwards, and often it comes again."""
    tenant_id = dice.pick(TENANTS)
    data = {"client_id": dice.pick(CLIENTS), "personal": typed_client(dice, name_needed=True)}
    value = encoded(document(tenant_id, composer.new_id(tenant_id, "e"), ClientAdded.TYPE, "broken", data))
    composer.append(tenant_id, value, broken=True)
    if dice.one_in(2):
        composer.append(tenant_id, value)


Verb = Callable[[Composer, Dice], object]

VERBS: Mapping[str, Verb] = {
    verb.__name__: verb
    for verb in (
        rest,
        add_client,
        run_import,
        import_item,
        ignore_item,
        link_item,
        record_member,
        move_email,
        remove_member,
        publish_fact,
        start_import,
        wait,
        fail_import,
        say_again,
        reuse_id,
        change_connection,
        make_noise,
        break_the_resolver,
        take_the_members_place,
    )
}
"""The simplest first: that is where a failing journal shrinks to."""

WEIGHTS: Mapping[str, int] = {
    "add_client": 4,
    "run_import": 6,
    "import_item": 5,
    "ignore_item": 2,
    "link_item": 5,
    "record_member": 5,
    "move_email": 4,
    "remove_member": 2,
    "publish_fact": 8,
    "start_import": 2,
    "wait": 1,
    "say_again": 3,
    "reuse_id": 1,
}
"""How often a verb comes up, where that is not once."""
