"""Follow a tenant's integration progress on Kafka: all that is kept of it, and then what comes.

    pip install aiokafka
    python follow_progress_kafka.py --tenant harbour-and-hill

A record is a full snapshot of one row. One may come again, so keep the highest version of each row.
"""

import argparse
import asyncio
import json
import os
import sys
from datetime import UTC, datetime
from typing import Any

from aiokafka import AIOKafkaConsumer

Row = dict[str, Any]


class Rows:
    """The newest that is known of each row, by kind and id; also of one that is over, or it might come back."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], Row] = {}

    def take(self, row: Row) -> bool:
        """Keep the row unless a newer one is here already; whether it is new, and is to be shown."""
        key = (row["kind"], row["row_id"])
        if key in self.rows and row["version"] <= self.rows[key]["version"]:
            return False
        self.rows[key] = row
        return datetime.fromisoformat(row["visible_until"]) > datetime.now(UTC)


def line(row: Row) -> str:
    told = [row["kind"], row.get("client_id") or "-", row["status"]]
    if "waiting" in row:
        told.append(f"until {row['waiting']['until']}")
    counts = {name: number for name, number in row["counts"].items() if number}
    return " ".join(
        [*told, *(f"{name}={number}" for name, number in counts.items()), row.get("what_to_do", "")]
    )


async def main(options: argparse.Namespace) -> None:
    rows = Rows()
    consumer = AIOKafkaConsumer(
        f"{options.prefix}muster.progress", bootstrap_servers=options.kafka, auto_offset_reset="earliest"
    )
    async with consumer:
        async for record in consumer:
            if record.key == options.tenant.encode():
                row = json.loads(record.value)["data"]
                if rows.take(row):
                    print(line(row), flush=True)


def parsed() -> argparse.Namespace:
    summary = "Follow a tenant's integration progress on Kafka, until Ctrl-C."
    parser = argparse.ArgumentParser(
        description=summary, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("--kafka", default=os.environ.get("MUSTER_KAFKA", "localhost:9092"), help="a broker")
    parser.add_argument("--tenant", default="harbour-and-hill", help="the practice")
    parser.add_argument("--prefix", default="", help="what the names of your topics begin with, if anything")
    return parser.parse_args()


if __name__ == "__main__":
    try:
        asyncio.run(main(parsed()))
    except KeyboardInterrupt:
        sys.exit(130)
