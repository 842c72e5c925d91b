"""`muster run` and `muster demo`: everything up, and one client's journey through it, by hand or by itself."""

import asyncio
import signal
import time
from datetime import UTC, datetime
from typing import Annotated

import typer
from pydantic import SecretStr
from rich.console import Console

from ops.demo.connecting import NotConnected
from ops.demo.playing import Stage, leave_a_review, play
from ops.demo.portal import NoAnswer
from ops.ending import Exit
from ops.migrate import migrate
from ops.running import Running, everything
from ops.voice import AsJson, Voice
from stack.errors import StackError
from stack.opening import open_stack
from stack.settings import Addresses, StackSettings
from worker import topics
from worker.failures import Stop
from worker.settings import Settings

console = Console(highlight=False)


def run(
    *,
    once: Annotated[
        bool, typer.Option("--once", help="End after the journey, as `muster demo` does.")
    ] = False,
) -> None:
    """Bring everything up, play one client's journey, leave you the review of another, and stay up until Ctrl-C.

    Kafka and Postgres are the environment's (MUSTER_KAFKA, MUSTER_POSTGRES_DSN), Docker's, or embedded; data and logs
    are kept in .muster.

    For example:

        muster run
        muster run --once
    """
    raise typer.Exit(asyncio.run(_interruptible("muster run", stay=not once)))


def demo(as_json: AsJson = False) -> None:
    """Play the journey of `muster run` and end.

    The exit code says whether everything came out as expected; with --json the story goes to standard error.

    For example:

        muster demo
        muster demo --json 2> story.txt
    """
    if as_json:
        console.stderr = True  # the story is told on the side, the answer follows it
    code = asyncio.run(_interruptible("muster demo", stay=False))
    if as_json:
        Voice(as_json=True).answer({"as_expected": code == Exit.DONE})
    raise typer.Exit(code)


async def _interruptible(verb: str, *, stay: bool) -> int:
    stopping = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    playing = asyncio.create_task(_play(verb, stopping, stay=stay))
    stopped = asyncio.create_task(stopping.wait())
    await asyncio.wait({playing, stopped}, return_when=asyncio.FIRST_COMPLETED)
    if not playing.done():
        console.print("\nStopping ...")
        playing.cancel()
    stopped.cancel()
    try:
        return await playing
    except asyncio.CancelledError:
        return 0 if stay else 130
    except (StackError, NoAnswer, NotConnected, Stop) as error:
        console.print(f"[red]{error}[/]")
        return 1


async def _play(verb: str, stopping: asyncio.Event, *, stay: bool) -> int:
    begun = time.monotonic()
    tenant_id = f"harbour-and-hill-{datetime.now(UTC):%Y%m%d-%H%M%S}"
    stack = StackSettings.from_environment()
    console.print("Starting Kafka and Postgres ...")
    async with open_stack(stack, verb, console.print) as addresses:
        settings = Settings(kafka=addresses.kafka, postgres_dsn=SecretStr(addresses.postgres), demo=True)
        await asyncio.gather(migrate(addresses.postgres), topics.create(settings))
        console.print("Starting the sandbox, importer, resolver, notifier and portal ...")
        async with everything(addresses, tenant_id, stack.folder, console.print) as running:
            console.print(f"Everything is up after {time.monotonic() - begun:.1f} s.")
            stage = Stage(
                settings, tenant_id, running.sandbox, running.importer, running.services["notifier"]
            )
            as_expected = await play(stage, console)
            if stay:
                await leave_a_review(stage, console)
                _say_where(addresses, running, tenant_id)
                await stopping.wait()
    return 0 if as_expected else 1


def _say_where(addresses: Addresses, running: Running, tenant_id: str) -> None:
    console.print("\n[bold]An import waits for review. Open the console:[/]")
    console.print(f"  [bold cyan]{running.services['portal']}[/]", soft_wrap=True)
    console.print("  Sign in as anybody and review Ellison Family Trust; Add from XPM brings more clients.")
    console.print("\nWatch the topics meanwhile, in another terminal:")
    console.print(f"  .venv/bin/muster watch {tenant_id}", soft_wrap=True)
    console.print("\nEverything stays up until Ctrl-C:")
    for name, address in (
        ("Console", running.services["portal"]),
        ("API", f"{running.services['portal']}/api/openapi.json"),
        ("Notifier", running.services["notifier"]),
        ("Sandbox", f"{running.sandbox}/sandbox"),
        ("Consents", f"{running.sandbox}/identity/connected-apps"),
        ("Kafka", addresses.kafka),
        ("Postgres", addresses.postgres),
        ("Logs", ".muster/logs"),
    ):
        console.print(f"  {name:9} {address}", soft_wrap=True)
