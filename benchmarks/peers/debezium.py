"""Debezium's JDBC sink in a Kafka Connect worker of one process: upserts, batches of 5,000, the reduction buffer on.

The worker stays up between runs, so that what its Java has compiled by then is not measured.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from benchmarks.peers import debezium_parts
from benchmarks.peers.table import COLUMNS, KEY
from stack.broker import java
from stack.ports import LOOPBACK, free_port, listens
from stack.process import ServerProcess

BATCH = 5_000
READY_SECONDS = 90
OPTIONS = (
    "-Xms1g",
    "-Xmx1g",
    "-XX:+UseParallelGC",  # on two cores faster than G1
    "-XX:-UsePerfData",
    "--sun-misc-unsafe-memory-access=allow",
    "--enable-native-access=ALL-UNNAMED",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
)


@dataclass(frozen=True, slots=True)
class Sink:
    """One connector: from which topic into which table of which database."""

    name: str
    topic: str
    dsn: str
    table: str
    unnest: bool
    """Whether one statement takes a whole batch, which is off unless one asks for it."""

    def settings(self) -> dict[str, str]:
        database = urlsplit(self.dsn)
        return {
            "connector.class": "io.debezium.connector.jdbc.JdbcSinkConnector",
            "tasks.max": "1",
            "topics": self.topic,
            "connection.url": f"jdbc:postgresql://{database.hostname}:{database.port}{database.path}"
            "?reWriteBatchedInserts=true",
            "connection.username": database.username or "",
            "connection.password": database.password or "",
            "insert.mode": "upsert",
            "primary.key.mode": "record_value",
            "primary.key.fields": ",".join(KEY),
            "collection.name.format": self.table,
            "schema.evolution": "none",
            "batch.size": str(BATCH),
            "use.reduction.buffer": "true",
            "dialect.postgres.unnest.insert.enabled": str(self.unnest).lower(),
            "consumer.override.auto.offset.reset": "earliest",
            "consumer.override.isolation.level": "read_committed",
            "consumer.override.max.poll.records": str(BATCH),
            "consumer.override.fetch.max.bytes": str(64 * 2**20),
            "consumer.override.max.partition.fetch.bytes": str(4 * 2**20),
            "key.converter": "org.apache.kafka.connect.storage.StringConverter",
            "value.converter": "org.apache.kafka.connect.json.JsonConverter",
            "value.converter.schemas.enable": "true",
            "value.converter.schema.content": json.dumps(_schema(COLUMNS)),
            "transforms": "flat",
            "transforms.flat.type": "org.apache.kafka.connect.transforms.Flatten$Value",
            "transforms.flat.delimiter": "_",
        }


class Worker:
    """A Kafka Connect worker that is up."""

    def __init__(self, process: ServerProcess, http: httpx.AsyncClient) -> None:
        self.process = process
        self._http = http

    async def begin(self, sink: Sink) -> None:
        """Let a connector begin with the topic's first record."""
        answer = await self._http.post("/connectors", json={"name": sink.name, "config": sink.settings()})
        if answer.is_error:
            raise RuntimeError(f"Kafka Connect refused {sink.name}: {answer.text}")

    async def failure(self, sink: Sink) -> str | None:
        """Why the connector's task stopped, if it did."""
        answer = await self._http.get(f"/connectors/{sink.name}/status")
        if answer.status_code != httpx.codes.OK:
            return None
        failed = [task for task in answer.json()["tasks"] if task["state"] == "FAILED"]
        return failed[0].get("trace", "it does not say why")[:2000] if failed else None

    async def end(self, sink: Sink) -> None:
        (await self._http.delete(f"/connectors/{sink.name}")).raise_for_status()


@asynccontextmanager
async def connect(
    kafka: str, folder: Path, programs: Path, tell: Callable[[str], None], mirror: str | None = None
) -> AsyncIterator[Worker]:
    """Run a worker; fetch what it is made of the first time. Raises JarsUnavailable and ServerFailed."""
    parts = await debezium_parts.provide(programs / "debezium", tell, mirror)
    port = free_port()
    (folder / "connect.offsets").unlink(missing_ok=True)
    configuration = folder / "connect.properties"
    configuration.write_text(_worker_settings(kafka, port, parts.plugins, folder), encoding="utf-8")
    process = ServerProcess("bench-debezium", folder)
    classpath = ":".join(map(str, parts.classpath))
    main = "org.apache.kafka.connect.cli.ConnectStandalone"
    await process.start(java(), *OPTIONS, "-classpath", classpath, main, configuration)
    try:
        await process.until(lambda: listens(process.pid, port), READY_SECONDS)
        async with httpx.AsyncClient(base_url=f"http://{LOOPBACK}:{port}", timeout=60) as http:
            await _until_it_answers(http)
            yield Worker(process, http)
    finally:
        await process.stop()


async def _until_it_answers(http: httpx.AsyncClient) -> None:
    """It listens before it knows its own addresses."""
    async with asyncio.timeout(READY_SECONDS):
        while (await http.get("/connectors")).is_error:  # noqa: ASYNC110 - another process's server
            await asyncio.sleep(0.1)


def _worker_settings(kafka: str, port: int, plugins: Path, folder: Path) -> str:
    settings = {
        "bootstrap.servers": kafka,
        "listeners": f"http://{LOOPBACK}:{port}",
        "plugin.path": str(plugins),
        "plugin.discovery": "service_load",
        "key.converter": "org.apache.kafka.connect.storage.StringConverter",
        "value.converter": "org.apache.kafka.connect.storage.StringConverter",
        "connector.client.config.override.policy": "All",
        "offset.storage.file.filename": str(folder / "connect.offsets"),
        "offset.flush.interval.ms": "5000",
    }
    return "".join(f"{name}={value}\n" for name, value in settings.items())


def _schema(columns: tuple[str, ...]) -> dict[str, object]:
    """The columns as the event holds them: what stands before an underscore of a path is an object around the rest."""
    return _struct([column.split(".") for column in columns])


def _struct(paths: list[list[str]], name: str | None = None) -> dict[str, object]:
    heads = list(dict.fromkeys(path[0] for path in paths))
    fields = [_field(head, [path[1:] for path in paths if path[0] == head]) for head in heads]
    named = {"field": name} if name else {}
    return {"type": "struct", "optional": name is not None, "fields": fields, **named}


def _field(name: str, rests: list[list[str]]) -> dict[str, object]:
    inner = [rest for rest in rests if rest]
    return _struct(inner, name) if inner else {"field": name, "type": "string", "optional": name not in KEY}
