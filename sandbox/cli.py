"""The command line of the sandbox: `python -m sandbox` and `muster sandbox`."""

import argparse
import re
from collections.abc import Sequence

from sandbox import harbour
from sandbox.quota import GENEROUS, REAL
from sandbox.server import serve
from sandbox.state import Tenancy, harbour_tenancy, made_up_tenancy

_LIMITS = {"generous": GENEROUS, "real": REAL}
_MADE_UP = re.compile(r"(?P<seed>[^:]+):(?P<size>[0-9]+)(:(?P<token>.+))?")


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until stopped; exits with status 2 when the arguments make no sense."""
    chosen = _parser().parse_args(arguments)
    tenancies = [harbour_tenancy(chosen.harbour_token), *chosen.made_up]
    for tenancy in tenancies:
        print(f"{tenancy.tenant_id}  {tenancy.practice.name}", flush=True)  # noqa: T201 - said to whoever starts it
    serve(chosen.host, chosen.port, tenancies, _LIMITS[chosen.quota])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="sandbox", description="An XPM that behaves like the real one.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8400)
    parser.add_argument("--harbour-token", default=harbour.TOKEN, help=f"opens {harbour.NAME}")
    parser.add_argument(
        "--made-up",
        type=_made_up,
        action="append",
        default=[],
        metavar="SEED:SIZE[:TOKEN]",
        help="one more practice of SIZE records; its token is made-up-SEED unless given",
    )
    parser.add_argument(
        "--quota", choices=_LIMITS, default="generous", help="Xero's limits, or none to be met"
    )
    return parser


def _made_up(text: str) -> Tenancy:
    given = _MADE_UP.fullmatch(text)
    if given is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not SEED:SIZE or SEED:SIZE:TOKEN")
    return made_up_tenancy(given["seed"], int(given["size"]), given["token"] or f"made-up-{given['seed']}")
