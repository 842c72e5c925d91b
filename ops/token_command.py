"""`muster token`: a token with which somebody may follow one practice's progress."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

import typer

from ops.addresses import settings_in_reach
from ops.voice import AsJson, speaking
from worker.tokens import NOTIFIER, PORTAL, Tokens


def command(
    tenant: Annotated[str, typer.Argument(help="The practice that it is good for, and no other.")],
    *,
    audience: Annotated[
        Literal["notifier", "portal"], typer.Option(help="Who takes it: the notifier, or the portal's API.")
    ] = "notifier",
    name: Annotated[str, typer.Option(help="For the portal: in whose name things are done.")] = "Operator",
    role: Annotated[
        Literal["staff", "read_only"], typer.Option(help="For the portal: whether things may be changed.")
    ] = "read_only",
    hours: Annotated[float, typer.Option(min=0.01, max=24 * 365, help="How long it is good.")] = 1,
    as_json: AsJson = False,
) -> None:
    r"""Make a token, signed with MUSTER_TOKEN_KEY (or in demo mode, MUSTER_DEMO=true, with a key that everybody knows).

    Give it to whoever may see this practice's progress; it can't be taken back before its time is over.

    For example:

        muster token harbour-and-hill
        curl -N -H "Authorization: Bearer $(muster token harbour-and-hill)" \
            http://127.0.0.1:8080/tenants/harbour-and-hill/progress/stream
    """
    with speaking(as_json=as_json) as voice:
        tokens = Tokens.of(settings_in_reach())
        until = datetime.now(UTC) + timedelta(hours=hours)
        if audience == "notifier":
            token = tokens.make(tenant, NOTIFIER, hours * 3600)
        else:
            token = tokens.make(tenant, PORTAL, hours * 3600, name=name, role=role)
        voice.answer(
            {"token": token, "tenant_id": tenant, "audience": audience, "until": until}, token, verbatim=True
        )
