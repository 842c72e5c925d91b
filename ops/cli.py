"""The `muster` command: the list of its verbs, and nothing else.

A verb's module is imported when that verb is called, so that `muster --help` stays fast and no verb pays for
another.
"""

import gc
import importlib
import sys
from typing import Any, NamedTuple

import typer


class Verb(NamedTuple):
    """Where a verb is (`module:name`, a function or a typer app of its own), what the list says of it, and where."""

    place: str
    summary: str
    panel: str


HELP = """
Brings the people around a practice's clients out of XPM into a client portal.

Addresses come from MUSTER_KAFKA and MUSTER_POSTGRES_DSN, or are those of `muster up`. Every verb has --help with
examples; what answers has --json; what changes something shows it first, does it with --apply, and leaves a line in the
audit.
"""

TRY, SET_UP, LOOK, MEND = "Try it", "Set up", "Look", "Mend (shows what it would do, until you say --apply)"

VERBS = {
    "run": Verb("ops.run_commands:run", "Bring everything up, play a journey, and leave you a review.", TRY),
    "demo": Verb(
        "ops.run_commands:demo", "Play one client's import, and say whether all came out as expected.", TRY
    ),
    "play": Verb("ops.play_command:command", "Play it through a system that is up already.", TRY),
    "sandbox": Verb(
        "sandbox.cli:command", "Run a server that behaves like XPM, with made-up practices.", TRY
    ),
    "up": Verb("ops.stack_commands:up", "Start Kafka and Postgres in the background.", TRY),
    "down": Verb("ops.stack_commands:down", "Stop what `up` started; the data stays.", TRY),
    "status": Verb("ops.stack_commands:status", "Say what is running, and where.", TRY),
    "reset": Verb("ops.stack_commands:reset", "Delete the data of Kafka and Postgres.", TRY),
    "migrate": Verb("ops.migrate:command", "Bring the database's tables to what this release needs.", SET_UP),
    "topics": Verb(
        "ops.topics:command", "Show the topics and what is wrong with them, or make the missing ones.", SET_UP
    ),
    "token": Verb("ops.token_command:command", "Make a token for one practice's progress.", SET_UP),
    "doctor": Verb(
        "ops.doctor.command:command", "Check everything that is checked first, and say what to do.", LOOK
    ),
    "lag": Verb("ops.lag_command:command", "Show how far every group is behind, once or live.", LOOK),
    "watch": Verb("ops.watch_command:command", "Show what goes over the topics, as it goes.", LOOK),
    "journal": Verb(
        "ops.story.command:command", "Tell the story of a client, item, import or command.", LOOK
    ),
    "verify": Verb(
        "ops.verify_command:command", "Fold the journal once more, and say whether the tables agree.", LOOK
    ),
    "audit": Verb("ops.audit_command:command", "Show what operators changed, and when.", LOOK),
    "xpm-keys": Verb(
        "ops.keys_command:command", "Make keys for XPM's tokens, and say which are still needed.", MEND
    ),
    "xpm-words": Verb(
        "ops.wording_command:command", "Say what XPM's words of relationships mean at a practice.", MEND
    ),
    "dead-letters": Verb(
        "ops.deadletters.commands:app",
        "List, show, redrive, discard and export what could not be processed.",
        MEND,
    ),
    "replay": Verb(
        "ops.replay_command:command", "Fold the journal again beside live traffic, and go over to it.", MEND
    ),
    "rewind": Verb(
        "ops.rewind_command:command", "Have a group read, or publish, again from an earlier place.", MEND
    ),
}


def main() -> None:
    """Run the verb that the command line names."""
    gc.disable()  # what is imported stays
    called = next((word for word in sys.argv[1:] if not word.startswith("-")), None)
    try:
        verb = command_line(called)
        gc.freeze()
        gc.enable()
        verb()
    except Exception as error:  # noqa: BLE001 - whatever no verb has foreseen becomes a code and a sentence too
        from ops.explaining import last_words  # noqa: PLC0415 - half a second that nobody else pays

        code, sentence = last_words(error)
        sys.stderr.write(f"{sentence}\n")
        sys.exit(code)


def command_line(called: str | None) -> typer.Typer:
    """Build the command line with one verb that works, the called one; the others are there to be listed."""
    app = typer.Typer(
        help=HELP,
        no_args_is_help=True,
        rich_markup_mode="markdown",
        add_completion=False,
        pretty_exceptions_show_locals=False,  # locals hold personal data
    )
    app.callback()(lambda: None)  # a single verb must still be named
    for name, verb in VERBS.items():
        target = load(verb.place) if name == called else listed_only
        if isinstance(target, typer.Typer):
            app.add_typer(
                target, name=name, help=target.info.help, short_help=verb.summary, rich_help_panel=verb.panel
            )
        else:
            help_text = target.__doc__ or verb.summary
            app.command(name, help=help_text, short_help=verb.summary, rich_help_panel=verb.panel)(target)
    return app


def load(place: str) -> Any:
    module, name = place.split(":")
    return getattr(importlib.import_module(module), name)


def listed_only() -> None:
    pass
