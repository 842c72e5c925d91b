"""The command line of the sandbox: `python -m sandbox` and `muster sandbox`."""

import re
from collections.abc import Sequence
from dataclasses import replace
from enum import StrEnum
from typing import Annotated

import typer

from sandbox import harbour
from sandbox.app import sandbox_app
from sandbox.faults import Fault
from sandbox.greeting import greeting
from sandbox.mix import AS_USUAL, Mix
from sandbox.oauth import Application, Lives
from sandbox.quota import GENEROUS, REAL
from sandbox.server import listen, serve
from sandbox.state import Sandbox, Tenancy, harbour_tenancy, made_up_tenancy
from sandbox.ties import CannotFill

_MADE_UP = re.compile(r"(?P<seed>[^:]+):(?P<size>[0-9]{1,6})(:(?P<token>.+))?")
_TROUBLE = re.compile(r"(?P<percent>[0-9]{1,2}(\.[0-9]+)?|100)(:(?P<seed>.+))?")


class Quota(StrEnum):
    """Which limits the sandbox has."""

    GENEROUS = "generous"
    REAL = "real"


_MUSTER = Application()
_LIMITS = {Quota.GENEROUS: GENEROUS, Quota.REAL: REAL}
_INSTEAD = "Instead of what --quota says."


def main() -> None:
    """Run `command` by itself."""
    typer.run(command)


def command(
    *,
    host: Annotated[
        str, typer.Option(help="The address to listen on; 0.0.0.0 is all of them.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65_535, help="0 takes a free one.")] = 8400,
    made_up: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SEED:SIZE[:TOKEN]",
            help="One more practice, of SIZE made-up clients; may be given again. The same seed and size are the "
            "same practice every time. Its token is made-up-SEED unless given.",
        ),
    ] = None,
    relationships: Annotated[
        int | None,
        typer.Option(
            min=0, max=100, help="Exactly so many on each made-up client, instead of as families have."
        ),
    ] = None,
    archived: Annotated[
        float, typer.Option(min=0, max=100, help="Percent of the made-up clients.")
    ] = AS_USUAL.archived,
    deleted: Annotated[
        float, typer.Option(min=0, max=100, help="Percent of the made-up clients.")
    ] = AS_USUAL.deleted,
    dangling: Annotated[
        float,
        typer.Option(
            min=0, max=100, help="Percent of their relationships that lead to a client that is gone."
        ),
    ] = AS_USUAL.dangling,
    ended: Annotated[
        float, typer.Option(min=0, max=100, help="Percent of their relationships that are over.")
    ] = AS_USUAL.ended,
    quota: Annotated[
        Quota,
        typer.Option(help="Xero's limits (5 calls at once, 60 a minute, 5,000 a day), or none to be met."),
    ] = Quota.GENEROUS,
    calls_at_once: Annotated[int | None, typer.Option(min=1, help=_INSTEAD)] = None,
    calls_a_minute: Annotated[int | None, typer.Option(min=1, help=_INSTEAD)] = None,
    calls_a_day: Annotated[
        int | None, typer.Option(min=1, help=f"{_INSTEAD} Xero's smallest plan has 1,000.")
    ] = None,
    quicken: Annotated[
        float,
        typer.Option(
            min=1,
            max=3_600,
            help="Let the minutes and days of the quota pass so many times as fast; the importer has to know it.",
        ),
    ] = 1,
    access_token_seconds: Annotated[
        float, typer.Option(min=1, help="How long an access token lives.")
    ] = Lives().access,
    client_id: Annotated[
        str, typer.Option(help="The application that practices connect.")
    ] = _MUSTER.client_id,
    client_secret: Annotated[str, typer.Option(help="And its secret.")] = _MUSTER.client_secret,
    redirect_url: Annotated[
        list[str] | None,
        typer.Option(
            help="Where browsers may be sent back to; may be given again. Anywhere on this machine unless given."
        ),
    ] = None,
    trouble: Annotated[
        str | None,
        typer.Option(
            metavar="PERCENT[:SEED]",
            help="Let so many calls go wrong, each in a way of its own; the seed decides which and how. Trouble of "
            "one kind can be asked for while it runs.",
        ),
    ] = None,
    harbour_token: Annotated[
        str, typer.Option(help=f"Opens {harbour.NAME}, the practice that is always there.")
    ] = harbour.TOKEN,
) -> None:
    """Run a server that behaves like Xero Practice Manager, with made-up practices, until Ctrl-C.

    It begins with the same world whenever it starts. Change that world in a browser under /sandbox while it runs,
    and import again. What it prints when it is up says how to call it and how to connect the importer to it, which is
    told by MUSTER_XPM_MINUTE_SECONDS and MUSTER_XPM_DAY_SECONDS how long a minute and a day are where it is quickened.

    For example:

        muster sandbox
        muster sandbox --made-up tern:1000 --quota real --trouble 5
        muster sandbox --quota real --calls-a-day 1000 --quicken 60
    """
    asked = {"concurrent": calls_at_once, "minute": calls_a_minute, "day": calls_a_day}
    own = {name: number for name, number in asked.items() if number is not None}
    mix = Mix(archived, deleted, dangling, ended, relationships)
    state = Sandbox(
        [harbour_tenancy(harbour_token), *_made_up(made_up or (), mix)],
        replace(_LIMITS[quota], **own).quickened(quicken),
        application=Application(client_id, client_secret, tuple(redirect_url or ())),
        lives=Lives(access=access_token_seconds),
    )
    if trouble:
        state.faults.add(_trouble(trouble))
    try:
        listener = listen(host, port)
    except OSError as error:
        typer.echo(
            f"Cannot listen on {host}:{port} ({error.strerror}). Choose another with --port.", err=True
        )
        raise typer.Exit(1) from None
    with listener:
        reached = "127.0.0.1" if host == "0.0.0.0" else host  # noqa: S104 - compared, not bound
        typer.echo(greeting(f"http://{reached}:{listener.getsockname()[1]}", state))
        serve(listener, sandbox_app(state))


def _made_up(texts: Sequence[str], mix: Mix) -> list[Tenancy]:
    found: dict[str, Tenancy] = {}
    for text in texts:
        given = _MADE_UP.fullmatch(text)
        if given is None or given["seed"] in found:
            raise typer.BadParameter(f"{text!r} is not SEED:SIZE or SEED:SIZE:TOKEN with a seed of its own")
        token = given["token"] or f"made-up-{given['seed']}"
        try:
            found[given["seed"]] = made_up_tenancy(given["seed"], int(given["size"]), token, mix)
        except CannotFill as error:
            raise typer.BadParameter(str(error)) from None
    return list(found.values())


def _trouble(text: str) -> Fault:
    given = _TROUBLE.fullmatch(text)
    if given is None or not float(given["percent"]):
        raise typer.BadParameter(f"{text!r} is not PERCENT or PERCENT:SEED")
    return Fault(kind="any", percent=float(given["percent"]), seed=given["seed"] or "trouble")
