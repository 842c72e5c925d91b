"""`muster play`: the journey, through a system that is up."""

import asyncio
import os
from typing import Annotated

import asyncpg
import httpx
import typer
from aiokafka.errors import KafkaError
from pydantic import SecretStr
from rich.console import Console

from ops.addresses import settings_in_reach
from ops.demo.connecting import Importer, NotConnected
from ops.demo.playing import PlayedBefore, Stage, play
from ops.demo.portal import NoAnswer
from ops.ending import Exit
from ops.voice import AsJson, Voice

console = Console(highlight=False)


def command(
    tenant: Annotated[
        str, typer.Argument(help="A tenant that has no clients yet; it is connected to the sandbox first.")
    ],
    *,
    notifier: Annotated[str, typer.Option(help="Where the notifier answers.")] = "http://127.0.0.1:8080",
    sandbox: Annotated[str, typer.Option(help="Where the sandbox answers.")] = "http://127.0.0.1:8400",
    importer: Annotated[str, typer.Option(help="Where the importer answers.")] = "http://127.0.0.1:8090",
    as_json: AsJson = False,
) -> None:
    """Play one client's import through a system that is up, such as Docker Compose's.

    Kafka and Postgres are those of MUSTER_KAFKA and MUSTER_POSTGRES_DSN; MUSTER_TOKEN_KEY is the notifier's, and
    MUSTER_INTERNAL_TOKEN the importer's. The exit code says whether everything came out as expected.

    For example:

        muster play harbour-and-hill
        muster play harbour-and-hill --notifier http://127.0.0.1:18080 --json
    """
    if as_json:
        console.stderr = True  # the story is told on the side, the answer follows it
    token = os.environ.get("MUSTER_INTERNAL_TOKEN")
    asked = Importer(importer, SecretStr(token) if token else None)
    try:
        as_expected = asyncio.run(play(Stage(settings_in_reach(), tenant, sandbox, asked, notifier), console))
    except (PlayedBefore, NoAnswer, NotConnected) as error:
        as_expected = _failed(str(error))
    except (OSError, KafkaError, asyncpg.PostgresError, httpx.HTTPError) as error:
        as_expected = _failed(f"Is everything up, and at these addresses? {type(error).__name__}: {error}")
    if as_json:
        Voice(as_json=True).answer({"as_expected": as_expected})
    raise typer.Exit(Exit.DONE if as_expected else Exit.ATTENTION)


def _failed(why: str) -> bool:
    console.print(why, style="red", markup=False)
    return False
