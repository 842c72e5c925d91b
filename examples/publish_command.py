"""Add a client, ask for an import of it, and wait for what both come to.

    pip install aiokafka
    python publish_command.py --tenant harbour-and-hill

Every record is one JSON document: a CloudEvents envelope with the event in `data`. Its key is the tenant's id, and
aiokafka's default partitioner puts it where it belongs; with librdkafka set `partitioner=murmur2_random`.
"""

import argparse
import asyncio
import json
import os
import sys
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

Event = dict[str, Any]


def event(tenant: str, kind: str, subject: str, data: dict[str, Any]) -> Event:
    """Choose the id once: publishing the same event again, under the same id, is always safe."""
    return {
        "specversion": "1.0",
        "id": str(uuid4()),
        "source": "/portal/example",
        "type": kind,
        "time": datetime.now(UTC).isoformat(),
        "subject": subject,
        "datacontenttype": "application/json",
        "tenantid": tenant,
        "data": data,
    }


async def publish(producer: AIOKafkaProducer, topic: str, published: Event) -> None:
    """Return when the brokers have it."""
    await producer.send_and_wait(
        topic,
        json.dumps(published).encode(),
        key=published["tenantid"].encode(),
        headers=[("content-type", b"application/cloudevents+json")],
    )
    print(f"published {published['type']} {published['id']}")


async def next_outcome(consumer: AIOKafkaConsumer, tenant: str) -> Event:
    """What one of the tenant's records came to; it may come again, under the same id."""
    while True:
        record = await consumer.getone()
        if record.key == tenant.encode():
            outcome: Event = json.loads(record.value)["data"]
            return outcome


async def outcome_of(consumer: AIOKafkaConsumer, asked: Event) -> Event:
    """The outcome that answers a record of the journal: applied, rejected with a reason, or failed."""
    while True:
        outcome = await next_outcome(consumer, asked["tenantid"])
        if outcome.get("record", {}).get("id") == asked["id"]:
            return outcome


async def end_of_import(consumer: AIOKafkaConsumer, asked: Event) -> Event:
    """The import, as soon as there is something to review or it has ended; its id is the request's."""
    while True:
        outcome = await next_outcome(consumer, asked["tenantid"])
        for run in outcome.get("imports", []):
            if run["import_id"] == asked["id"]:
                print(f"import is {run['status']}")
                if run["status"] != "fetching":
                    return dict(run)


async def add_and_import(
    options: argparse.Namespace, consumer: AIOKafkaConsumer, producer: AIOKafkaProducer
) -> int:
    tenant, subject = options.tenant, f"clients/{options.client}"
    client = {"client_id": options.client, "xpm_client_id": options.xpm_client}
    added = event(tenant, "muster.client.added.v1", subject, {**client, "personal": {"name": options.name}})
    await publish(producer, f"{options.prefix}muster.journal", added)
    outcome = await outcome_of(consumer, added)
    print(outcome["result"], outcome.get("message", ""), sep=": " if "message" in outcome else "")
    if outcome["result"] != "applied":
        return 1

    requested = event(
        tenant, "muster.import.requested.v1", subject, {**client, "requested_by": options.staff}
    )
    await publish(producer, f"{options.prefix}muster.requests", requested)
    run = await end_of_import(consumer, requested)
    print(run.get("message") or f"{run['counts'].get('pending', 0)} people to review")
    return 1 if run["status"] == "failed" else 0


async def main(options: argparse.Namespace) -> int:
    consumer = AIOKafkaConsumer(f"{options.prefix}muster.outcomes", bootstrap_servers=options.kafka)
    producer = AIOKafkaProducer(bootstrap_servers=options.kafka, enable_idempotence=True)
    async with consumer, producer:
        await consumer.seek_to_end()  # before anything is published, so that no answer is missed
        async with asyncio.timeout(options.seconds):
            return await add_and_import(options, consumer, producer)


def parsed() -> argparse.Namespace:
    summary = "Add a client, ask for an import of it, and wait for what both come to."
    parser = argparse.ArgumentParser(
        description=summary, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("--kafka", default=os.environ.get("MUSTER_KAFKA", "localhost:9092"), help="a broker")
    parser.add_argument("--tenant", default="harbour-and-hill", help="the practice")
    parser.add_argument("--client", default="ellison-family-trust", help="the portal's id of the client")
    parser.add_argument("--name", default="Ellison Family Trust", help="what the portal calls the client")
    parser.add_argument(
        "--xpm-client",
        default="c1d7e2a4-58b3-4f0e-8a96-3b1f6c20d705",
        help="the client's id in Xero Practice Manager",
    )
    parser.add_argument("--staff", default="Anna Lindqvist", help="who asks for the import")
    parser.add_argument("--seconds", type=float, default=60, help="how long to wait for an answer")
    parser.add_argument("--prefix", default="", help="what the names of your topics begin with, if anything")
    return parser.parse_args()


if __name__ == "__main__":
    try:
        sys.exit(asyncio.run(main(parsed())))
    except TimeoutError:
        sys.exit("no answer: is Muster running?")
    except KeyboardInterrupt:
        sys.exit(130)
