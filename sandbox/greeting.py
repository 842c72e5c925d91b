"""What the sandbox says when it is up: where it is, and how to use it."""

import json

from sandbox.quota import Limits
from sandbox.state import Sandbox, Tenancy


def greeting(address: str, sandbox: Sandbox) -> str:
    """The practices, and lines to copy into a shell."""
    tenancies = list(sandbox.tenancies.values())
    first, application = tenancies[0], sandbox.authority.application
    return f"""\
The sandbox answers at {address} until Ctrl-C.

{_practices(tenancies)}

Look around, change a practice, make trouble:
  {address}/sandbox

Call it as a client of Xero would:
  curl -H 'Authorization: Bearer {first.token}' -H 'Xero-Tenant-Id: {first.tenant_id}' \\
    '{address}/practicemanager/3.1/client.api/list?detailed=true'

Let the next three calls find it down:
  curl --json '{{"kind": "outage", "calls": 3}}' {address}/sandbox/faults

Connect an importer to it, as to Xero ({address}/identity/connected-apps shows who has):
  export {_limits(sandbox.limits)}
  export MUSTER_XPM_URL={address} MUSTER_XPM_AUTHORIZE_URL={address}/identity/connect/authorize
  export MUSTER_XPM_TOKEN_URL={address}/connect/token MUSTER_XPM_REVOCATION_URL={address}/connect/revocation
  export MUSTER_XPM_CLIENT_ID={application.client_id} MUSTER_XPM_CLIENT_SECRET={application.client_secret}
  export MUSTER_XPM_REDIRECT_URL=http://127.0.0.1:8090/oauth/callback MUSTER_HTTP_PORT=8090 MUSTER_DEMO=true

Or give it tokens that need no consent:
  export {_limits(sandbox.limits)}
  export MUSTER_XPM_URL={address}
  export MUSTER_XPM_CONNECTIONS='{_connections(tenancies)}'
"""


def _limits(limits: Limits) -> str:
    """What the importer has to know, since it is not what Xero has."""
    variables = {
        "CALLS_AT_ONCE": limits.concurrent,
        "CALLS_A_MINUTE": limits.minute,
        "CALLS_A_DAY": limits.day,
        "MINUTE_SECONDS": limits.minute_seconds,
        "DAY_SECONDS": limits.day_seconds,
    }
    return " ".join(f"MUSTER_XPM_{name}={value}" for name, value in variables.items())


def _practices(tenancies: list[Tenancy]) -> str:
    rows = [
        (each.practice.name, f"{len(each.practice.parties):,} clients", each.tenant_id, each.token)
        for each in tenancies
    ]
    rows.insert(0, ("practice", "", "tenant id", "token"))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  " + "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def _connections(tenancies: list[Tenancy]) -> str:
    """Every practice as a tenant of ours, under its token's name."""
    return json.dumps(
        {each.token: {"xpm_tenant_id": each.tenant_id, "access_token": each.token} for each in tenancies}
    )
