"""The options that say which dead letters are meant: declared once, for every command that takes them."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import wraps
from typing import Annotated, Any, get_args

import typer

from ops.deadletters.choice import Choice, State
from ops.deadletters.letter import SOURCES
from ops.ending import Misused
from ops.times import milliseconds, required_time
from schemas.codec import WhyUnreadable
from schemas.topics import DEAD_LETTERS

WHYS = (*get_args(WhyUnreadable), "id_reused", "failed")
STATES: dict[str, State | None] = {
    "open": "open",
    "redriven": "redriven",
    "discarded": "discarded",
    "replayed": "replayed",
    "in-doubt": "in doubt",
    "all": None,
}

Command = Callable[..., None]


@dataclass(frozen=True, slots=True)
class Options:
    """What was said on the command line; a letter is meant if everything that was said fits."""

    ids: Annotated[
        list[str] | None,
        typer.Argument(metavar="[ID]...", help="Letters by id; the first characters will do."),
    ] = None
    why: Annotated[str | None, typer.Option(help=f"{', '.join(WHYS)}.")] = None
    topic: Annotated[str | None, typer.Option(help="Where the record came from: muster.journal.")] = None
    tenant: Annotated[str | None, typer.Option(help="The tenant that the record's key names.")] = None
    type: Annotated[str | None, typer.Option(help="The event's type: item.imported.v1.")] = None
    group: Annotated[str | None, typer.Option(help="The group that could not process it.")] = None
    since: Annotated[
        str | None, typer.Option(help="Kept at this time or later: 2026-11-25T09:00:00Z, or 2h ago.")
    ] = None
    until: Annotated[str | None, typer.Option(help="Kept before this time.")] = None
    state: Annotated[str, typer.Option(help=f"{', '.join(STATES)}.")] = "open"

    def choice(self) -> Choice:
        """The letters that are meant. Raises `Misused`."""
        if self.state not in STATES:
            raise Misused(f"There is no state {self.state!r}: say {', '.join(STATES)}.")
        if self.why not in {None, *WHYS}:
            raise Misused(f"No letter is kept for {self.why!r}: say {', '.join(WHYS)}.")
        if self.topic and not self.topic.endswith((*SOURCES, *(each.name for each in DEAD_LETTERS))):
            raise Misused(f"{self.topic!r} has no dead letters: say {', '.join(SOURCES)}.")
        since, until = _time(self.since), _time(self.until)
        if since is not None and until is not None and since >= until:
            raise Misused("--since has to be before --until.")
        return Choice(
            ids=tuple(self.ids or ()),
            why=self.why,
            topic=self.topic,
            tenant=self.tenant,
            type=self.type,
            group=self.group,
            since=since,
            until=until,
            state=STATES[self.state],
        )

    def narrowed(self, verb: str, *, every: bool) -> Choice:
        """The same, for what changes letters: all of them are meant only if that was said. Raises `Misused`."""
        found = self.choice()
        if not found.narrows and not every:
            raise Misused(f"Say which letters to {verb}: by id, by --why, --topic, --tenant ..., or --all.")
        return found


def taking_options(*without: str) -> Callable[[Command], Command]:
    """Have a command take these options, but for some: it is called with `options` in their place."""
    shared = [each for each in inspect.signature(Options).parameters.values() if each.name not in without]

    def give(command: Command) -> Command:
        own = [each for each in inspect.signature(command).parameters.values() if each.name != "options"]

        @wraps(command)
        def called(**said: Any) -> None:
            command(options=Options(**{each.name: said.pop(each.name) for each in shared}), **said)

        parameters = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in (*shared, *own)]
        called.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # what typer reads
        called.__annotations__ = {each.name: each.annotation for each in parameters}
        return called

    return give


def _time(text: str | None) -> int | None:
    return milliseconds(required_time(text, datetime.now(UTC))) if text else None
