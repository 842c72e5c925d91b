"""The `muster` command: the list of its verbs, and nothing else.

A verb's module is imported when that verb is called, so that `muster --help` stays fast and no verb pays for
another.
"""

import importlib
import sys
from typing import Any, NamedTuple

import typer


class Verb(NamedTuple):
    """Where a verb is (`module:name`, a function or a typer app of its own), and what the list says of it."""

    place: str
    summary: str


VERBS = {
    "run": Verb("ops.run_commands:run", "Bring everything up and play one client's import."),
    "demo": Verb("ops.run_commands:demo", "Play the same, end, and say whether all came out as expected."),
    "play": Verb("ops.play_command:command", "Play it through a system that is up already."),
    "up": Verb("ops.stack_commands:up", "Start Kafka and Postgres in the background."),
    "down": Verb("ops.stack_commands:down", "Stop what `up` started; the data stays."),
    "status": Verb("ops.stack_commands:status", "Say what is running, and where."),
    "migrate": Verb("ops.migrate:command", "Bring the database's tables to what this release needs."),
    "topics": Verb(
        "ops.topics:command", "Show the topics and what is wrong with them, or make the missing ones."
    ),
    "reset": Verb("ops.stack_commands:reset", "Delete the data of Kafka and Postgres."),
}


def main() -> None:
    """Run the verb that the command line names."""
    called = next((word for word in sys.argv[1:] if not word.startswith("-")), None)
    command_line(called)()


def command_line(called: str | None) -> typer.Typer:
    """Build the command line with one verb that works, the called one; the others are there to be listed."""
    app = typer.Typer(
        help="Brings the people around a practice's clients out of XPM into a client portal.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_show_locals=False,  # locals hold personal data
    )
    app.callback()(lambda: None)  # a single verb must still be named
    for name, verb in VERBS.items():
        target = load(verb.place) if name == called else listed_only
        if isinstance(target, typer.Typer):
            app.add_typer(target, name=name, help=verb.summary)
        else:
            app.command(name, help=target.__doc__ or verb.summary, short_help=verb.summary)(target)
    return app


def load(place: str) -> Any:
    module, name = place.split(":")
    return getattr(importlib.import_module(module), name)


def listed_only() -> None:
    pass
