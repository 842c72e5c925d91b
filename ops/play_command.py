"""`muster play`: the journey, through a system that is up."""

import asyncio
from typing import Annotated

import asyncpg
import httpx
import typer
from aiokafka.errors import KafkaError
from rich.console import Console

from ops.addresses import settings_in_reach
from ops.demo.playing import PlayedBefore, play
from ops.demo.portal import NoAnswer

console = Console(highlight=False)


def command(
    tenant: Annotated[
        str, typer.Argument(help="A tenant that is connected to the sandbox and has no clients yet.")
    ],
    *,
    notifier: Annotated[str, typer.Option(help="Where the notifier answers.")] = "http://127.0.0.1:8080",
    sandbox: Annotated[str, typer.Option(help="Where the sandbox answers.")] = "http://127.0.0.1:8400",
) -> None:
    """Play one client's import through a system that is up, such as Docker Compose's.

    Kafka and Postgres are those of MUSTER_KAFKA and MUSTER_POSTGRES_DSN, MUSTER_TOKEN_KEY is the notifier's. The
    exit code says whether everything came
    out as expected.
    """
    try:
        as_expected = asyncio.run(play(settings_in_reach(), tenant, sandbox, notifier, console))
    except (PlayedBefore, NoAnswer) as error:
        as_expected = _failed(str(error))
    except (OSError, KafkaError, asyncpg.PostgresError, httpx.HTTPError) as error:
        as_expected = _failed(f"Is everything up, and at these addresses? {type(error).__name__}: {error}")
    raise typer.Exit(0 if as_expected else 1)


def _failed(why: str) -> bool:
    console.print(why, style="red", markup=False)
    return False
