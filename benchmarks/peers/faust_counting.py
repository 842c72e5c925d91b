"""Faust reads the journal as records and does nothing with them: its rate without a database.

Runs with the Python of an environment of its own, which has nothing of Muster's.
"""

import json
import os
import time
from pathlib import Path

import faust

RECORDS = int(os.environ["PEER_RECORDS"])
RESULT = Path(os.environ["PEER_RESULT"])


class Relationship(faust.Record):
    type: str = None
    start_date: str = None


class Person(faust.Record):
    name: str = None
    email: str = None
    phone: str = None
    date_of_birth: str = None
    address: str = None


class Data(faust.Record):
    import_id: str = None
    client_id: str = None
    item_id: str = None
    xpm_party_id: str = None
    relationship: Relationship = None
    personal: Person = None
    decided_by: str = None


class JournalEvent(faust.Record, serializer="json"):
    tenantid: str
    subject: str
    id: str
    type: str
    time: str
    data: Data


app = faust.App(
    os.environ["PEER_GROUP"],
    broker=f"kafka://{os.environ['PEER_KAFKA']}",
    store="memory://",
    datadir=os.environ["PEER_FOLDER"],
    consumer_auto_offset_reset="earliest",
    topic_allow_declare=False,
    topic_disable_leader=True,
    web_enabled=False,
)
journal = app.topic(os.environ["PEER_TOPIC"], value_type=JournalEvent)
progress = {"count": 0, "began": 0.0, "cpu": 0.0}


@app.agent(journal)
async def count(events: faust.Stream) -> None:
    async for event in events:
        assert event.subject
        progress["count"] += 1
        if progress["count"] == 1:
            progress.update(began=time.perf_counter(), cpu=time.process_time())
        elif progress["count"] == RECORDS:
            seconds = time.perf_counter() - progress["began"]
            cpu = time.process_time() - progress["cpu"]
            unfinished = RESULT.with_suffix(".unfinished")
            unfinished.write_text(json.dumps({"seconds": seconds, "cpu_seconds": cpu}))
            unfinished.rename(RESULT)


if __name__ == "__main__":
    app.main()
