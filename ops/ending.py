"""How a command ends: an exit code that scripts can rely on, and a sentence instead of a trace."""

from enum import IntEnum

from worker.failures import Stop


class Exit(IntEnum):
    """The exit codes of every verb; `docs/operations.md` has the same table, and a test compares them."""

    DONE = 0
    ATTENTION = 1
    USAGE = 2
    REFUSED = 3
    UNREACHABLE = 4
    INCOMPLETE = 5
    BROKEN = 70
    INTERRUPTED = 130


MEANINGS = {
    Exit.DONE: "done; or looked, and all is well",
    Exit.ATTENTION: "looked, and something needs attention; what it is was said",
    Exit.USAGE: "the command line or a setting makes no sense; nothing was done",
    Exit.REFUSED: "as things are it would be unsafe, or there is no such thing; nothing was changed",
    Exit.UNREACHABLE: "Kafka or Postgres does not answer; run it again when it does",
    Exit.INCOMPLETE: "a part was done; run the same again for the rest",
    Exit.BROKEN: "a fault of Muster's own; the sentence on standard error says where, and where its trace is kept",
    Exit.INTERRUPTED: "interrupted by Ctrl-C or a signal; the next run says where things stand",
}


class Misused(Stop):
    """The words on the command line do not fit together. Say it as the message shows."""


class Refused(Stop):
    """As things are it would be unsafe. Do what the message says, then run the command again."""


class Incomplete(Stop):
    """A part was done. Run the same command again for the rest."""
