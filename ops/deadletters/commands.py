"""`muster dead-letters`: list, show, redrive, discard, export."""

import asyncio
from typing import Annotated

import typer

from ops.addresses import settings_in_reach
from ops.deadletters import changing, exporting, looking
from ops.deadletters.choice import Choice
from ops.deadletters.options import Options, taking_options
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

Every = Annotated[bool, typer.Option("--all", help="Every open letter.")]


@app.command("list")
@taking_options("ids")
def list_(
    options: Options,
    *,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="The newest so many.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List dead letters, newest first, and count them by topic, group and reason.

    A record of a topic that two groups read may have two letters: each group keeps its own. The exit code is 1 if
    there are any that are open.

    For example:

        muster dead-letters list
        muster dead-letters list --why failed --since 1d
        muster dead-letters list --tenant harbour-and-hill --state all --json
    """
    with speaking(as_json=as_json) as voice:
        asyncio.run(looking.list_letters(voice, settings_in_reach(), options.choice(), limit))


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
@taking_options()
def redrive(
    options: Options,
    *,
    every: Every = False,
    force: Annotated[
        bool, typer.Option("--force", help="Also what is stale, and what would most likely fail again.")
    ] = False,
    apply: Apply = False,
    as_json: AsJson = False,
) -> None:
    """Append records to their topic again, with the same key, bytes and id, each for the group that kept it.

    Shows what would become of each letter first. A letter is stale if newer facts of the same item, member or client
    were applied since: redriven, the old one would come on top. What can't be redriven says why, and what to do. With
    --apply the exit code is 1 if some of the letters that are meant still need something.

    A run that is killed breaks nothing; the next one finds out what is out and says so.

    For example:

        muster dead-letters redrive 3f2a91c0
        muster dead-letters redrive --why misrouted --since 1d --apply
        muster dead-letters redrive --all --json
    """
    with speaking(as_json=as_json) as voice:
        choice = options.narrowed("redrive", every=every)
        asyncio.run(changing.redrive(voice, settings_in_reach(), choice, force=force, apply=apply))


@app.command()
@taking_options("state")
def discard(
    options: Options,
    *,
    reason: Annotated[
        str, typer.Option(help="Why nothing has to be done. It is kept in the audit: name nobody in it.")
    ],
    every: Every = False,
    apply: Apply = False,
    as_json: AsJson = False,
) -> None:
    """Mark open letters as done with, and say why.

    They stay in their topic, and `--state discarded` lists them.

    For example:

        muster dead-letters discard 3f2a91c0 --reason "published again" --apply
        muster dead-letters discard --why not_json --until 1d --reason "a probe"
    """
    with speaking(as_json=as_json) as voice:
        choice = options.narrowed("discard", every=every)
        asyncio.run(changing.discard(voice, settings_in_reach(), choice, reason, apply=apply))


@app.command()
@taking_options()
def export(
    options: Options,
    *,
    to: Annotated[
        str,
        typer.Option(
            metavar="FILE",
            help="A file that is not there yet, which only you may read; - is standard output.",
        ),
    ],
    as_json: AsJson = False,
) -> None:
    """Write letters to a file, one JSON object a line, key, value and headers in Base64 as they came.

    The file holds what the records hold, personal data included; that it was written is noted in the audit.

    For example:

        muster dead-letters export --to letters.jsonl
        muster dead-letters export --why failed --state all --to failed.jsonl
        muster dead-letters export 3f2a91c0 --to - | jq -r '.value | @base64d'
    """
    with speaking(as_json=as_json) as voice:
        asyncio.run(exporting.export(voice, settings_in_reach(), options.choice(), to))
