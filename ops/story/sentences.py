"""What happened, in sentences: pure, from an entry to words. Names and details of people stay out unless asked for."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ops.story.entries import Entry, Request
from ops.times import shown_time
from ops.words import some
from schemas.decisions import ItemIgnored, ItemImported, ItemLinked
from schemas.imports import (
    ConnectionChanged,
    EntityStaged,
    ImportFailed,
    ImportStaged,
    ImportStarted,
    ImportWaiting,
    ItemStaged,
)
from schemas.portal import ClientAdded, MemberRecorded, MemberRemoved

Data = Mapping[str, Any]
Tell = Callable[[Entry, Data], str]


def what_happened(entry: Entry) -> str:
    """The business fact."""
    if entry.event_type is None:
        return "A record came that can't be read"
    data = (entry.event or {}).get("data")
    tell = TELLERS.get(entry.event_type)
    if tell is None or not isinstance(data, dict):
        return f"{entry.event_type} came"
    return tell(entry, data)


def what_came_of_it(entry: Entry) -> str:
    """The verdict in a word, with its reason."""
    match entry.result:
        case "repeated":
            return f"repeated: answered as the first at offset {entry.first_offset}"
        case "applied":
            return "applied"
    message = next((outcome["message"] for outcome in entry.outcomes if outcome.get("message")), None)
    return f"{entry.result}: {entry.reason}" + (f". {message}" if message else "")


def what_followed(entry: Entry, *, personal: bool = False) -> Iterator[str]:
    """How things stood after it."""
    for outcome in entry.outcomes:
        yield from _client(outcome)
        for item in outcome.get("items", ()):
            yield f"item {item['item_id']} is {item['state']}" + _because(item) + _as_member(item)
        for member in outcome.get("members", ()):
            yield f"member {member['member_id']} {_member(member)}"
        for run in outcome.get("imports", ()):
            yield _import(run)
        yield from _replaced(outcome, personal=personal)
        if outcome.get("earlier"):
            yield f"before: {_earlier(outcome['earlier'])}"


def how_it_began(request: Request) -> str:
    """An import's request, and how far the importer is with it."""
    return f"{request.requested_by} asked for an import of client {request.client_id}" + (
        f" from XPM client {request.xpm_client_id}"
        if request.xpm_client_id
        else ", which is not linked to XPM"
    )


def how_far_it_is(request: Request) -> str:
    """What the importer has made of a request."""
    waits = f", after {some(request.waits, 'wait')}" if request.waits else ""
    trouble = (
        f"; XPM has had trouble since {shown_time(request.trouble_since)}" if request.trouble_since else ""
    )
    return {
        "behind": "it stands behind an earlier import of the client",
        "queued": f"it is being worked off{waits}; the next try is at {shown_time(request.ready_at)}{trouble}",
        "stored": f"what XPM has is stored, and is being published{waits}",
        "ended": f"it is published{waits}",
    }.get(request.status, request.status)


def _because(item: Data) -> str:
    return f" ({item['reason']})" if item.get("reason") else ""


def _as_member(item: Data) -> str:
    return f", as member {item['member_id']}" if item.get("member_id") else ""


def _member(member: Data) -> str:
    if member.get("removed"):
        return "is removed"
    return "is recorded, a co-owner" if member.get("co_owner") else "is recorded"


def _client(outcome: Data) -> Iterator[str]:
    client = outcome.get("client")
    if client:
        linked = f", linked to XPM client {client['xpm_client_id']}" if client.get("xpm_client_id") else ""
        yield f"client {outcome['client_id']} is {'new' if client['created'] else 'amended'}{linked}"


def _import(run: Data) -> str:
    counts = run["counts"]
    told = ", ".join(f"{number} {name.replace('_', ' ')}" for name, number in counts.items() if number)
    waiting = f" until {run['waiting']['until']} ({run['waiting']['why']})" if run.get("waiting") else ""
    why = f" ({run['reason']})" if run.get("reason") else ""
    return f"import {run['import_id']} is {run['status']}{waiting}{why}" + (f": {told}" if told else "")


def _replaced(outcome: Data, *, personal: bool) -> Iterator[str]:
    replaced = (outcome.get("personal") or {}).get("replaced") or ()
    if personal:
        for each in replaced:
            yield f"{each['of']} {each['id']}: {each['field']} {each['before']!r} -> {each['after']!r}"
    elif replaced:
        yield f"replaced: {', '.join(sorted({each['field'] for each in replaced}))}"


def _earlier(earlier: Data) -> str:
    who = f" by {earlier['decided_by']}" if earlier.get("decided_by") else ""
    when = f", {earlier['decided_at']}" if earlier.get("decided_at") else ""
    along = f", taken along by item {earlier['attached_by']}" if earlier.get("attached_by") else ""
    return f"{earlier['state']}{who}{when}{along}"


def _staged(_entry: Entry, data: Data) -> str:
    flags = "".join(f", {flag}" for flag in ("archived", "stub") if data.get(flag))
    kind = data["relationship"]["type"]
    return f"XPM has item {data['item_id']}: {kind}, party {data['xpm_party_id']}{flags}"


def _all_staged(_entry: Entry, data: Data) -> str:
    told = [f"{number} {why.replace('_', ' ')}" for why, number in data["left_out"].items() if number]
    without = f"; left out: {', '.join(told)}" if told else ""
    return f"The import has staged all there is, {some(len(data['item_ids']), 'item')}{without}"


def _imported(entry: Entry, data: Data) -> str:
    amended = ", amended" if data.get("personal") or "relationship" in data else ""
    co_owner = ", as account co-owner" if data.get("co_owner") else ""
    return f"{entry.decided_by} imported item {data['item_id']}{amended}{co_owner}"


TELLERS: Mapping[str, Tell] = {
    ClientAdded.TYPE: lambda entry, data: (
        f"{entry.decided_by or 'The portal'} recorded client {data['client_id']}"
    ),
    MemberRecorded.TYPE: lambda entry, data: (
        f"{entry.decided_by or 'The portal'} recorded member {data['member_id']} of client {data['client_id']}"
    ),
    MemberRemoved.TYPE: lambda entry, data: (
        f"{entry.decided_by or 'The portal'} removed member {data['member_id']}"
    ),
    ConnectionChanged.TYPE: lambda _, data: f"Connection {data['connection_id']} to XPM is {data['state']}",
    ImportStarted.TYPE: lambda entry, data: (
        f"The import that {entry.decided_by} asked for was begun, of client {data['client_id']}"
    ),
    ImportWaiting.TYPE: lambda _, data: f"The import waits until {data['until']}: {data['why']}",
    EntityStaged.TYPE: lambda _, data: f"XPM's own details of client {data['client_id']} came in",
    ItemStaged.TYPE: _staged,
    ImportStaged.TYPE: _all_staged,
    ImportFailed.TYPE: lambda _, data: (
        f"The import failed: {data['reason']}. {data['message'].removesuffix('.')}"
    ),
    ItemImported.TYPE: _imported,
    ItemIgnored.TYPE: lambda entry, data: f"{entry.decided_by} ignored item {data['item_id']}",
    ItemLinked.TYPE: lambda entry, data: (
        f"{entry.decided_by} linked item {data['item_id']} to member {data['member_id']}"
    ),
}
