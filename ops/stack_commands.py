"""`muster up`, `down`, `status` and `reset`: a Kafka and a Postgres to work with, in the background."""

import asyncio
import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Annotated

import typer
from rich.text import Text

from ops.ending import Exit
from ops.voice import AsJson, Voice, speaking
from stack.claims import Holder, claim, holder
from stack.errors import StackError
from stack.opening import UP, delete_data, find_owner
from stack.settings import Addresses, StackSettings

STARTS_WITHIN = 600.0
"""Seconds: the first time has to fetch everything."""

STOPS_WITHIN = 60.0


def up(as_json: AsJson = False) -> None:
    """Start Kafka and Postgres in the background, and say how to reach them.

    They stay up until `muster down`. `muster run` finds them by itself; other programs need the variables shown.

    For example:

        muster up
        muster up --json | jq '.environment'
    """
    with speaking(as_json=as_json) as voice:
        settings = StackSettings.from_environment()
        owner, began = find_owner(settings), time.monotonic()
        said = f"Up already, by {owner}."
        if owner is None:
            owner = start(settings, voice)
            said = f"Up after {time.monotonic() - began:.1f} s."
        variables = owner.addresses.environment() if owner.addresses else {}
        exports = [f"  export {name}={shlex.quote(value)}" for name, value in variables.items()]
        voice.answer({"up": True, "environment": variables}, Text("\n".join([said, *exports])), verbatim=True)


def start(settings: StackSettings, voice: Voice) -> Holder:
    """Start the owner in the background, passing on what it says, and wait until its stack is up."""
    settings.folder.mkdir(parents=True, exist_ok=True)
    log = settings.folder / "up.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "stack.daemon"],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    with log.open(encoding="utf-8") as said:
        for _ in waiting(STARTS_WITHIN):
            _pass_on(voice, said.read())
            owner = find_owner(settings)
            if owner is not None and owner.addresses is not None:
                return owner
            if process.poll() is not None and owner is None:
                _pass_on(voice, said.read())
                raise StackError("It did not come up.")
    raise StackError(f"It has not come up within {STARTS_WITHIN:g} s: see {log}.")


def down(as_json: AsJson = False) -> None:
    """Stop what `muster up` started.

    The data stays.

    For example:

        muster down
    """
    with speaking(as_json=as_json) as voice:
        settings = StackSettings.from_environment()
        owner = find_owner(settings)
        if owner is None:
            voice.answer({"up": False}, "Nothing is up.")
            return
        user = holder(settings.folder / "services.claim")
        if owner.verb != UP or user is not None:
            raise StackError(f"{user or owner} is using it: stop that first, with Ctrl-C.")
        os.kill(owner.pid, signal.SIGTERM)
        for _ in waiting(STOPS_WITHIN):
            if find_owner(settings) is None:
                voice.answer({"up": False}, "Down.")
                return
        raise StackError(f"{owner} has not ended within {STOPS_WITHIN:g} s.")


def status(as_json: AsJson = False) -> None:
    """Say what is running and where.

    The exit code is 1 if something that should answer does not.

    For example:

        muster status
        muster status --json
    """
    with speaking(as_json=as_json) as voice:
        settings = StackSettings.from_environment()
        owner = find_owner(settings)
        user = holder(settings.folder / "services.claim")
        addresses = owner.addresses if owner else None
        answering = asyncio.run(ask(addresses)) if addresses else {}
        lines = [
            f"stack     {f'up, by {owner}' if owner else 'not up'}",
            f"services  {f'run by {user}' if user else 'not running'}",
            f"data      {settings.folder}",
            *(
                f"{name:<9} {'answers' if answers else 'DOES NOT ANSWER'} at {address.rpartition('@')[2]}"
                for name, (address, answers) in answering.items()
            ),
        ]
        parts = {
            name: {"address": address.rpartition("@")[2], "answers": answers}
            for name, (address, answers) in answering.items()
        }
        document = {
            "stack": owner and str(owner),
            "services": user and str(user),
            "data": str(settings.folder),
            "parts": parts,
        }
        voice.answer(document, Text("\n".join(lines)), verbatim=True)
        if owner is not None and addresses is None:
            raise StackError("The stack is starting.")
        if not all(answers for _, answers in answering.values()):
            raise typer.Exit(Exit.ATTENTION)


async def ask(addresses: Addresses) -> dict[str, tuple[str, bool]]:
    from stack.answers import kafka_answers, postgres_answers  # noqa: PLC0415  # half a second that `down` need not pay

    kafka, postgres = await asyncio.gather(
        kafka_answers(addresses.kafka), postgres_answers(addresses.postgres)
    )
    return {"kafka": (addresses.kafka, kafka), "postgres": (addresses.postgres, postgres)}


def reset(
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Delete the data of Kafka and Postgres, and the logs.

    What was fetched or prepared stays. It asks first.

    For example:

        muster reset
        muster reset --yes
    """
    with speaking(as_json=as_json) as voice:
        settings = StackSettings.from_environment()
        with alone(settings):
            if not yes:
                typer.confirm(f"Delete all data in {settings.folder}?", abort=True, err=as_json)
            delete_data(settings)
            shutil.rmtree(settings.folder / "logs", ignore_errors=True)
        voice.answer({"deleted": str(settings.folder)}, "Deleted.")


@contextlib.contextmanager
def alone(settings: StackSettings) -> Iterator[None]:
    """Keep others from starting anything meanwhile. Raises StackBusy if somebody already has."""
    with (
        claim(settings.folder / "services.claim", "muster reset"),
        claim(settings.folder / "stack.claim", "muster reset"),
    ):
        yield


def waiting(limit: float) -> Iterator[None]:
    """Yield now and then until the time is up."""
    deadline = time.monotonic() + limit
    while time.monotonic() < deadline:
        yield
        time.sleep(0.1)


def _pass_on(voice: Voice, said: str) -> None:
    if said and not voice.as_json:
        sys.stdout.write(said)
        sys.stdout.flush()
