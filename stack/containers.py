"""Kafka and Postgres in Docker containers, through Testcontainers: which also removes them when their owner dies."""

import asyncio
import contextlib
import secrets
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from hashlib import sha256
from pathlib import Path

from docker.errors import NotFound
from testcontainers.core.container import DockerContainer
from testcontainers.core.docker_client import DockerClient, get_docker_host

import stack.kafka
import stack.postgres
from stack.answers import kafka_answers, postgres_answers
from stack.errors import ServerFailed
from stack.ports import LOOPBACK, free_port

KAFKA_IMAGE = "apache/kafka:4.4.0"
POSTGRES_IMAGE = "postgres:18"
DEFAULT_HOST = "unix:///var/run/docker.sock"
STARTS_WITHIN = 120.0
"""Seconds, once the image is there."""

STOPS_WITHIN = 15
"""Seconds, after which it is killed."""


def engine_answers() -> bool:
    """Whether an engine can be used here."""
    if not somebody_listens(get_docker_host() or DEFAULT_HOST):
        return False
    try:
        return bool(DockerClient().client.ping())
    except Exception:  # noqa: BLE001  # whatever keeps it from answering, it does not answer
        return False


def somebody_listens(host: str) -> bool:
    """Whether a Unix socket is served; true of other kinds. Docker's client leaks its socket where it is not."""
    scheme, _, path = host.partition("://")
    if scheme != "unix":
        return True
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(path) == 0


@contextlib.asynccontextmanager
async def kafka(folder: Path) -> AsyncIterator[str]:
    """Run a broker on a volume of its own; its address."""
    name = volume(folder, "kafka")
    container = DockerContainer(KAFKA_IMAGE, name=name, volumes=[(name, "/var/lib/kafka/data", "rw")])
    address = publish(container, 9092)
    settings = stack.kafka.SETTINGS | {
        "listener.security.protocol.map": "OUTSIDE:PLAINTEXT,BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "listeners": "OUTSIDE://:9092,BROKER://localhost:9094,CONTROLLER://localhost:9093",
        "advertised.listeners": f"OUTSIDE://{address},BROKER://localhost:9094",
        "controller.quorum.voters": "1@localhost:9093",
        "log.dirs": "/var/lib/kafka/data",
    }
    container.with_envs(
        **{f"KAFKA_{name.upper().replace('.', '_')}": value for name, value in settings.items()}
    )
    async with running(container, name, lambda: kafka_answers(address)):
        yield address


@contextlib.asynccontextmanager
async def postgres(folder: Path) -> AsyncIterator[str]:
    """Run a server on a volume of its own; its DSN."""
    name = volume(folder, "postgres")
    container = DockerContainer(POSTGRES_IMAGE, name=name, volumes=[(name, "/var/lib/postgresql", "rw")])
    address = publish(container, 5432)
    password = kept_password(folder)
    container.with_envs(
        POSTGRES_USER="muster",
        POSTGRES_PASSWORD=password,
        POSTGRES_DB="muster",
        POSTGRES_INITDB_ARGS="--locale=C.UTF-8 --locale-provider=builtin --builtin-locale=C.UTF-8",
    )
    container.with_command(
        ["postgres", *(f"--{name}={value}" for name, value in stack.postgres.SETTINGS.items())]
    )
    dsn = f"postgresql://muster:{password}@{address}/muster"
    async with running(container, name, lambda: postgres_answers(dsn)):
        yield dsn


def publish(container: DockerContainer, port: int) -> str:
    """Give the container's port a free port here, and return its address: known before it starts, as Kafka needs."""
    host = container.get_docker_client().host()
    here = free_port()
    local = host in {"localhost", LOOPBACK}
    container.ports[f"{port}/tcp"] = (LOOPBACK, here) if local else here  # type: ignore[assignment]  # Docker takes both
    return f"{LOOPBACK if local else host}:{here}"


@contextlib.asynccontextmanager
async def running(
    container: DockerContainer, name: str, answers: Callable[[], Awaitable[bool]]
) -> AsyncIterator[None]:
    await asyncio.to_thread(end_left_behind, name)
    try:
        await asyncio.to_thread(container.start)
        await ready(container, answers)
        yield
    finally:
        await asyncio.to_thread(stop, container)


def end_left_behind(name: str) -> None:
    """End the container of an owner that was killed: two servers on one volume would ruin what is on it."""
    engine = DockerClient().client
    with contextlib.closing(engine):
        for left in engine.containers.list(all=True, filters={"name": f"^/?{name}$"}):
            with contextlib.suppress(NotFound):  # Testcontainers was faster
                left.stop(timeout=STOPS_WITHIN)
                left.remove(force=True, v=True)


def stop(container: DockerContainer) -> None:
    """Stop in good order, where Testcontainers would kill: a killed broker takes long to come back."""
    if container.get_wrapped_container() is not None:
        container.get_wrapped_container().stop(timeout=STOPS_WITHIN)
    container.stop()


async def ready(container: DockerContainer, answers: Callable[[], Awaitable[bool]]) -> None:
    """Wait until it answers. Raises ServerFailed, with the last of its log, if it ends or takes too long."""
    deadline = time.monotonic() + STARTS_WITHIN
    while not await answers():
        inside = container.get_wrapped_container()
        await asyncio.to_thread(inside.reload)
        if inside.status == "exited" or time.monotonic() > deadline:
            log = inside.logs(tail=12).decode(errors="replace")
            raise ServerFailed(f"{container.image} did not come up in Docker.\n{log}")
        await asyncio.sleep(0.2)


def volume(folder: Path, part: str) -> str:
    """Return the name of the volume that keeps a part's data for this folder, and of the container that is on it."""
    return f"muster-{sha256(str(folder).encode()).hexdigest()[:12]}-{part}"


def delete_volumes(folder: Path) -> None:
    """Delete the data that containers have kept for this folder."""
    client = DockerClient().client
    for part in ("kafka", "postgres"):
        end_left_behind(volume(folder, part))
        for found in client.volumes.list(filters={"name": volume(folder, part)}):
            found.remove(force=True)


def kept_password(folder: Path) -> str:
    """Return the password of the volume's server: it takes one only when its data is made."""
    path = folder / "docker-password"
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(18), encoding="utf-8")
    return path.read_text(encoding="utf-8")
