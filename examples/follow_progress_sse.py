"""Follow a tenant's integration progress over server-sent events, as a dashboard does: now, and whatever comes.

    pip install httpx-sse
    python follow_progress_sse.py --tenant harbour-and-hill --token "$(muster token harbour-and-hill)"

A token is a JWT (HS256), signed with the key that the notifier knows, with the claims `tenant`, `aud` (muster-notifier)
and `exp`.

A stream begins with a snapshot of all rows. After a disconnect it goes on behind the id that came last: nothing is
missed, and what comes again is known by its version.
"""

import argparse
import asyncio
import json
import os
import sys
from typing import Any
from urllib.parse import quote

import httpx
from httpx_sse import ServerSentEvent, SSEError, aconnect_sse

Row = dict[str, Any]

QUIET_SECONDS = 60
"""The stream says something every 15 seconds; one that is quiet for longer is dead."""
AGAIN_AFTER_SECONDS = 1


class Dashboard:
    """The rows as they are now, by kind and id, and the id of the last event."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], Row] = {}
        self.last_event_id = ""

    def take(self, event: ServerSentEvent) -> None:
        """Take an event; `reset` says only that the snapshot behind it replaces everything."""
        self.last_event_id = event.id or self.last_event_id
        if event.event == "snapshot":
            known, self.rows = self.rows, {}
            for row in json.loads(event.data)["rows"]:
                self.keep(row, known)
        elif event.event == "progress":
            self.keep(json.loads(event.data), self.rows)

    def keep(self, row: Row, known: dict[tuple[str, str], Row]) -> None:
        """Keep the newer of the row and what is known of it, and show what is new."""
        key = (row["kind"], row["row_id"])
        newest = known.get(key, row)
        is_new = key not in known or row["version"] > newest["version"]
        self.rows[key] = row if is_new else newest
        if is_new:
            print(line(row), flush=True)


def line(row: Row) -> str:
    told = [row["kind"], row.get("client_id") or "-", row["status"]]
    if "waiting" in row:
        told.append(f"until {row['waiting']['until']}")
    counts = {name: number for name, number in row["counts"].items() if number}
    return " ".join(
        [*told, *(f"{name}={number}" for name, number in counts.items()), row.get("what_to_do", "")]
    )


async def follow(dashboard: Dashboard, http: httpx.AsyncClient, path: str) -> None:
    """Take what comes until the stream ends, as it does whenever the notifier is started anew."""
    headers = {"Last-Event-ID": dashboard.last_event_id} if dashboard.last_event_id else {}
    async with aconnect_sse(http, "GET", path, headers=headers) as source:
        source.response.raise_for_status()
        async for event in source.aiter_sse():
            dashboard.take(event)


async def main(options: argparse.Namespace) -> None:
    dashboard = Dashboard()
    path = f"/tenants/{quote(options.tenant, safe='')}/progress/stream"
    timeout = httpx.Timeout(10, read=QUIET_SECONDS)
    headers = {"Authorization": f"Bearer {options.token}"}
    async with httpx.AsyncClient(base_url=options.notifier, headers=headers, timeout=timeout) as http:
        while True:
            try:
                await follow(dashboard, http, path)
            except httpx.HTTPStatusError as error:
                if error.response.status_code == httpx.codes.UNAUTHORIZED:
                    sys.exit("The notifier does not take this token: `muster token TENANT` makes one.")
                print(f"refused: {error!r}", file=sys.stderr, flush=True)
            except (httpx.HTTPError, SSEError) as error:
                print(f"disconnected: {error!r}", file=sys.stderr, flush=True)
            await asyncio.sleep(AGAIN_AFTER_SECONDS)


def parsed() -> argparse.Namespace:
    summary = "Follow a tenant's integration progress over server-sent events, until Ctrl-C."
    parser = argparse.ArgumentParser(
        description=summary, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("--notifier", default="http://localhost:8080", help="where the notifier is")
    parser.add_argument("--tenant", default="harbour-and-hill", help="the practice")
    parser.add_argument("--token", default=os.environ.get("MUSTER_TOKEN", ""), help="good for that practice")
    return parser.parse_args()


if __name__ == "__main__":
    try:
        asyncio.run(main(parsed()))
    except KeyboardInterrupt:
        sys.exit(130)
