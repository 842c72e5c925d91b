"""`muster journal`: who decided what, what came of it, and what followed, down to topic, partition and offset."""

import asyncio
import json
from collections.abc import Iterator
from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from ops.addresses import settings_in_reach
from ops.broker import asking
from ops.deadletters.masking import masked
from ops.groups import RESOLVER, tables_of
from ops.story import entries
from ops.story.entries import Entry, Request, Story
from ops.story.sentences import how_far_it_is, how_it_began, what_came_of_it, what_followed, what_happened
from ops.times import shown_time
from ops.voice import AsJson, Voice, speaking
from schemas.topics import JOURNAL, REQUESTS
from worker.settings import Settings

COLOURS = {"rejected": "yellow", "failed": "red", "unreadable": "red"}
FOLLOWED_SHOWN = 12


def command(
    one: Annotated[
        str,
        typer.Argument(metavar="ID", help="A tenant, client, item, member, import, or the id of a command."),
    ],
    *,
    tenant: Annotated[
        str | None, typer.Option(help="Whose it is; faster, and needed where several have it.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="The last so many records.")] = 100,
    personal: Annotated[
        bool,
        typer.Option("--personal", help="Show personal values too: names, addresses, what was replaced."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Tell the story of something: what happened to it, who decided, what came of that, and what followed.

    Each step stands with its place (topic, partition, offset) and the id of its event. Members of staff are named,
    since who decided is what an audit is for; values about anybody else only with --personal.

    For example:

        muster journal harbour-and-hill --limit 20
        muster journal oak --tenant harbour-and-hill
        muster journal oak --tenant harbour-and-hill --personal --json
    """
    with speaking(as_json=as_json) as voice:
        asyncio.run(_tell(voice, settings_in_reach(), one, tenant, limit, personal=personal))


async def _tell(
    voice: Voice, settings: Settings, one: str, tenant: str | None, limit: int, *, personal: bool
) -> None:
    async with asking(settings) as broker, tables_of(settings, RESOLVER) as database:
        tenant_id = await entries.tenant_of(database, one, tenant)
        story = await entries.story_of(settings, broker, database, one, tenant_id, limit)
    voice.answer(_document(story, personal=personal), *_shown(story, personal=personal))


def _shown(story: Story, *, personal: bool) -> Iterator[RenderableType]:
    kinds = " and ".join(story.kinds)
    whose = "" if story.kinds == ["tenant"] else f" of tenant {story.tenant_id}"
    yield Text(f"{kinds} {story.id}{whose}", style="bold")
    left_out = story.total - len(story.entries)
    if left_out > 0:
        yield Text(f"... {left_out:,} earlier records: --limit shows more", style="dim")
    if story.request is not None:
        yield from _step(
            shown_time(story.request.requested_at),
            Text(how_it_began(story.request)),
            [how_far_it_is(story.request)],
            _request_place(story.request),
        )
    for entry in story.entries:
        came = Text(what_came_of_it(entry), style=COLOURS.get(entry.result, "green"))
        yield from _step(
            shown_time(entry.at),
            Text.assemble(what_happened(entry), ": ", came),
            list(what_followed(entry, personal=personal)),
            _place(entry),
            _details(entry) if personal else None,
        )


def _step(
    when: str, what: Text, followed: list[str], place: str, details: Text | None = None
) -> Iterator[RenderableType]:
    below = Table.grid(padding=(0, 1, 0, 0))
    for each in followed[:FOLLOWED_SHOWN]:
        below.add_row("-", Text(each))
    if len(followed) > FOLLOWED_SHOWN:
        below.add_row("-", Text(f"and {len(followed) - FOLLOWED_SHOWN} more: --json has all", style="dim"))
    told = Table.grid(padding=(0, 2, 0, 0))
    told.add_column(no_wrap=True)
    parts: list[RenderableType] = [
        what,
        *([below] if followed else []),
        Text(place, style="dim"),
        *([details] if details else []),
    ]
    told.add_row(Text(when, style="cyan"), Group(*parts))
    yield ""
    yield told


def _place(entry: Entry) -> str:
    event = entry.event or {}
    source = f", from {event['source']}" if event.get("source") else ""
    cause = f", because of {event['causationid']}" if event.get("causationid") else ""
    name = f", {entry.event_type}, id {entry.event_id}" if entry.event_id else ""
    return f"{JOURNAL.name}[{entry.partition}]@{entry.offset}{name}{source}{cause}"


def _request_place(request: Request) -> str:
    if request.offset is None:
        return f"{REQUESTS.name}, no longer there; id {request.import_id}"
    return f"{REQUESTS.name}[{request.partition}]@{request.offset}, id {request.import_id}"


def _details(entry: Entry) -> Text | None:
    found = ((entry.event or {}).get("data") or {}).get("personal")
    return Text(json.dumps(found, ensure_ascii=False), style="italic") if found else None


def _masked(value: Any, *, personal: bool) -> Any:
    return value if personal else masked(value)


def _document(story: Story, *, personal: bool) -> dict[str, Any]:
    return {
        "tenant": story.tenant_id,
        "id": story.id,
        "kinds": list(story.kinds),
        "total": story.total,
        "request": story.request,
        "entries": [
            {
                "topic": JOURNAL.name,
                "partition": entry.partition,
                "offset": entry.offset,
                "at": entry.at,
                "what": what_happened(entry),
                "result": entry.result,
                "reason": entry.reason,
                "followed": list(what_followed(entry, personal=personal)),
                "decided_by": entry.decided_by,
                "event": _masked(entry.event, personal=personal),
                "outcomes": [_masked(outcome, personal=personal) for outcome in entry.outcomes],
            }
            for entry in story.entries
        ],
    }
