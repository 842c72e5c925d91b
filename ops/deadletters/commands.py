"""`muster dead-letters`: list, show, redrive, discard, export."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from ops.addresses import settings_in_reach
from ops.deadletters import changing, looking
from ops.deadletters.choice import Choice, State
from ops.ending import Misused
from ops.times import milliseconds, required_time
from ops.voice import Apply, AsJson, speaking

app = typer.Typer(
    no_args_is_help=True,
    help="""List, show, redrive, discard and export what could not be processed.

A dead letter is a record that a service could not read, or on which it broke: kept byte for byte, with why, where and
when. The rest goes on. A letter is open until it is redriven or discarded, or a replay decides its record; it stays in
its topic either way.

For example:

    muster dead-letters list
    muster dead-letters show 3f2a91c0
    muster dead-letters redrive --why misrouted
""",
)

Ids = Annotated[
    list[str] | None, typer.Argument(metavar="[ID]...", help="Letters by id; the first characters will do.")
]
Why = Annotated[
    str | None, typer.Option(help="not_json, not_schema, unknown_type, too_large, misrouted, failed.")
]
TopicName = Annotated[str | None, typer.Option("--topic", help="Where the record came from: muster.journal.")]
Tenant = Annotated[str | None, typer.Option(help="The tenant that the record's key names.")]
Type = Annotated[str | None, typer.Option(help="The event's type: muster.item.imported.v1.")]
Group = Annotated[str | None, typer.Option(help="The group that could not process it.")]
Since = Annotated[
    str | None, typer.Option(help="Kept at this time or later: 2026-11-25T09:00:00Z, or 2h ago.")
]
Until = Annotated[str | None, typer.Option(help="Kept before this time.")]
Standing = Annotated[
    str | None,
    typer.Option("--state", help="open, redriven, discarded, replayed, in-doubt or all.", show_default=True),
]
STATES: dict[str, State | None] = {
    "open": "open",
    "redriven": "redriven",
    "discarded": "discarded",
    "replayed": "replayed",
    "in-doubt": "in doubt",
    "all": None,
}


@app.command("list")
def list_(
    why: Why = None,
    topic: TopicName = None,
    tenant: Tenant = None,
    type: Type = None,  # noqa: A002 - the option's name
    group: Group = None,
    since: Since = None,
    until: Until = None,
    state: Standing = "open",
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="The newest so many.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List dead letters, newest first, and count them by topic, group and reason.

    The exit code is 1 if there are any that are open.

    For example:

        muster dead-letters list
        muster dead-letters list --why failed --since 1d
        muster dead-letters list --tenant harbour-and-hill --state all --json
    """
    with speaking(as_json=as_json) as voice:
        choice = chosen([], why, topic, tenant, type, group, since, until, state)
        asyncio.run(looking.list_letters(voice, settings_in_reach(), choice, limit))


@app.command()
def show(
    letter: Annotated[
        str, typer.Argument(metavar="ID", help="The letter's id; the first characters will do.")
    ],
    *,
    personal: Annotated[
        bool, typer.Option("--personal", help="Show personal values, and the bytes, which may hold some.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show one dead letter.

    Why it was kept, where it came from, what it says, what came after, and what can be done.

    For example:

        muster dead-letters show 3f2a91c0
        muster dead-letters show 3f2a91c0 --personal
    """
    with speaking(as_json=as_json) as voice:
        choice = Choice(ids=[letter], state=None)
        asyncio.run(looking.show_letter(voice, settings_in_reach(), choice, personal=personal))


@app.command()
def redrive(
    ids: Ids = None,
    why: Why = None,
    topic: TopicName = None,
    tenant: Tenant = None,
    type: Type = None,  # noqa: A002 - the option's name
    group: Group = None,
    since: Since = None,
    until: Until = None,
    state: Standing = "open",
    every: Annotated[bool, typer.Option("--all", help="Every open letter.")] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Also what is stale, and what would most likely fail again.")
    ] = False,
    apply: Apply = False,
    as_json: AsJson = False,
) -> None:
    """Append records to their topic again, with the same key, bytes and id, each for the group that kept it.

    Shows what would become of each letter first. A letter is stale if newer facts of the same item, member or client
    were applied since: redriven, the old one would come on top. What can't be redriven says why, and what to do.

    A run that is killed breaks nothing; the next one finds out what is out and says so.

    For example:

        muster dead-letters redrive 3f2a91c0
        muster dead-letters redrive --why misrouted --since 1d --apply
        muster dead-letters redrive --all --json
    """
    with speaking(as_json=as_json) as voice:
        choice = chosen(ids or [], why, topic, tenant, type, group, since, until, state)
        _require_choice(choice, "redrive", every=every)
        asyncio.run(changing.redrive(voice, settings_in_reach(), choice, force=force, apply=apply))


@app.command()
def discard(
    reason: Annotated[
        str, typer.Option(help="Why nothing has to be done. It is kept in the audit: name nobody in it.")
    ],
    ids: Ids = None,
    why: Why = None,
    topic: TopicName = None,
    tenant: Tenant = None,
    type: Type = None,  # noqa: A002 - the option's name
    group: Group = None,
    since: Since = None,
    until: Until = None,
    every: Annotated[bool, typer.Option("--all", help="Every open letter.")] = False,
    apply: Apply = False,
    as_json: AsJson = False,
) -> None:
    """Mark letters as done with, and say why.

    They stay in their topic, and `--state discarded` lists them.

    For example:

        muster dead-letters discard 3f2a91c0 --reason "published again" --apply
        muster dead-letters discard --why not_json --until 1d --reason "a probe"
    """
    with speaking(as_json=as_json) as voice:
        choice = chosen(ids or [], why, topic, tenant, type, group, since, until, "open")
        _require_choice(choice, "discard", every=every)
        asyncio.run(changing.discard(voice, settings_in_reach(), choice, reason, apply=apply))


@app.command()
def export(
    to: Annotated[
        Path, typer.Option(metavar="FILE", help="A file that is not there yet; only you may read it.")
    ],
    ids: Ids = None,
    why: Why = None,
    topic: TopicName = None,
    tenant: Tenant = None,
    type: Type = None,  # noqa: A002 - the option's name
    group: Group = None,
    since: Since = None,
    until: Until = None,
    state: Standing = "open",
    as_json: AsJson = False,
) -> None:
    """Write letters to a file, one JSON object a line, key, value and headers in Base64 as they came.

    The file holds what the records hold, personal data included; that it was written is noted in the audit.

    For example:

        muster dead-letters export --to letters.jsonl
        muster dead-letters export --why failed --state all --to failed.jsonl
    """
    with speaking(as_json=as_json) as voice:
        choice = chosen(ids or [], why, topic, tenant, type, group, since, until, state)
        asyncio.run(changing.export(voice, settings_in_reach(), choice, to))


def chosen(
    ids: Sequence[str],
    why: str | None,
    topic: str | None,
    tenant: str | None,
    type_name: str | None,
    group: str | None,
    since: str | None,
    until: str | None,
    state: str | None,
) -> Choice:
    """The letters that the options mean. Raises `Misused`."""
    if state not in STATES:
        raise Misused(f"There is no state {state!r}: say {', '.join(STATES)}.")
    now = datetime.now(UTC)
    return Choice(
        ids=tuple(ids),
        why=why,
        topic=topic,
        tenant=tenant,
        type=type_name,
        group=group,
        since=milliseconds(required_time(since, now)) if since else None,
        until=milliseconds(required_time(until, now)) if until else None,
        state=STATES[state],
    )


def _require_choice(choice: Choice, verb: str, *, every: bool) -> None:
    if not choice.narrows and not every:
        raise Misused(f"Say which letters to {verb}: by id, by --why, --topic, --tenant ..., or --all.")
