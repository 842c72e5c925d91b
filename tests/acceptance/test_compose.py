"""The system as compose.yaml starts it: everything in containers, and people and portals outside."""

import asyncio
import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from docker.errors import NotFound
from pydantic import SecretStr

from ops.demo.story import OPEN_ITEMS
from sandbox import harbour
from schemas.decisions import ItemIgnored
from stack.ports import free_port
from tests.support.engine import engine, require_engine
from tests.support.eventually import eventually
from tests.support.system import STAFF, System
from worker.settings import Settings
from worker.tokens import DEMO_KEY

pytestmark = pytest.mark.containers

PROJECT = Path(__file__).parents[2]
TENANT = "harbour-and-hill"
OURS = {"sandbox", "importer", "resolver", "notifier", "portal"}
PASSWORD = "p@ss/w:rd?"
"""Parts of it would mean something in an address."""
READY_SECONDS = 180


@dataclass(frozen=True, slots=True)
class Published:
    """A service in its container, as it is reached from outside."""

    address: str


class Composed:
    """A project of Compose, with ports, volumes and a name of its own."""

    def __init__(self, command: Sequence[str]) -> None:
        self._command = command
        self._name = f"muster-test-{secrets.token_hex(4)}"
        self._ports = {
            name: free_port() for name in ("KAFKA", "POSTGRES", "NOTIFIER", "SANDBOX", "IMPORTER", "PORTAL")
        }

    def run(self, *arguments: str) -> int:
        """Run one of Compose's commands; its exit code."""
        variables = {f"{name}_PORT": str(port) for name, port in self._ports.items()}
        return subprocess.run(
            [*self._command, "-p", self._name, *arguments],
            cwd=PROJECT,
            env=os.environ | variables | {"POSTGRES_PASSWORD": PASSWORD, "TOKEN_KEY": DEMO_KEY},
            check=False,
        ).returncode

    def containers(self) -> dict[str, dict[str, Any]]:
        """What the engine says of the container of each service."""
        with engine() as client:
            found = client.containers.list(
                all=True, filters={"label": f"com.docker.compose.project={self._name}"}
            )
            return {each.labels["com.docker.compose.service"]: each.attrs for each in found}

    def states(self) -> dict[str, str]:
        """How each container is: by its health check, or by its exit code."""
        return {service: _state(container["State"]) for service, container in self.containers().items()}

    def execute(self, service: str, command: str) -> str:
        """Run a shell command in a container; what it said."""
        with engine() as client:
            container = client.containers.get(self.containers()[service]["Id"])
            return str(container.exec_run(["sh", "-c", command]).output.decode())

    def system(self) -> System:
        """How people and portals outside reach it."""
        dsn = f"postgresql://muster:{quote(PASSWORD, safe='')}@127.0.0.1:{self._ports['POSTGRES']}/muster"
        return System(
            Settings(
                kafka=f"127.0.0.1:{self._ports['KAFKA']}",
                postgres_dsn=SecretStr(dsn),
                token_key=SecretStr(DEMO_KEY),
            ),
            sandbox=f"http://127.0.0.1:{self._ports['SANDBOX']}",
            services={"notifier": Published(f"http://127.0.0.1:{self._ports['NOTIFIER']}")},
            connected={TENANT: harbour.TENANT_ID},
        )

    async def until_well(self) -> None:
        """Wait until everything is as it has to be."""
        wanted = dict.fromkeys(OURS | {"kafka", "postgres"}, "healthy") | {"setup": "exited 0"}
        await eventually(
            lambda: self.states() == wanted, READY_SECONDS, 1, f"every container is well: {wanted}"
        )


def _state(state: dict[str, Any]) -> str:
    if state["Status"] != "running":
        return f"{state['Status']} {state['ExitCode']}"
    return str(state["Health"]["Status"])


def compose_command() -> Sequence[str]:
    """Compose as it is installed here; skips the test where it is not."""
    for command in (["docker", "compose"], ["docker-compose"]):
        if shutil.which(command[0]) and _succeeds([*command, "version"]):
            return command
    pytest.skip("neither `docker compose` nor `docker-compose` is installed")


def _succeeds(command: Sequence[str]) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


@pytest.fixture(scope="module")
def composed() -> Iterator[Composed]:
    """Everything up, as `docker compose up -d --build` leaves it."""
    require_engine()
    composed = Composed(compose_command())
    try:
        assert composed.run("up", "-d", "--build") == 0
        yield composed
    finally:
        composed.run("logs", "--tail=20")
        composed.run("down", "--volumes")


async def test_every_container_becomes_healthy_and_the_setup_succeeds(composed) -> None:
    """After `up` everything is well without anybody doing anything."""
    await composed.until_well()


def test_nothing_is_published_to_the_world(composed) -> None:
    """What is published is so on 127.0.0.1 only: there are no passwords on Kafka and the notifier."""
    published = {
        (service, port, binding["HostIp"])
        for service, container in composed.containers().items()
        for port, bindings in container["NetworkSettings"]["Ports"].items()
        for binding in bindings or ()
    }

    assert published == {
        ("kafka", "9092/tcp", "127.0.0.1"),
        ("postgres", "5432/tcp", "127.0.0.1"),
        ("importer", "8080/tcp", "127.0.0.1"),
        ("notifier", "8080/tcp", "127.0.0.1"),
        ("portal", "8080/tcp", "127.0.0.1"),
        ("sandbox", "8400/tcp", "127.0.0.1"),
    }


def test_a_process_of_ours_can_change_nothing_in_its_container(composed) -> None:
    """It is not root, and could not write to the image's files if it were."""
    said = {service: composed.execute(service, "id -u; touch /usr/local/x") for service in OURS}

    assert {each.splitlines()[0] for each in said.values()} == {"10001"}
    assert all("Read-only file system" in each for each in said.values())


async def test_the_journey_ends_as_expected(composed) -> None:
    """`docker compose run demo` plays it once, and its exit code tells."""
    assert await asyncio.to_thread(composed.run, "run", "--rm", "-T", "demo") == 0
    assert await asyncio.to_thread(composed.run, "run", "--rm", "-T", "demo") == 1


async def test_an_import_goes_on_where_it_was_when_a_service_is_restarted(composed) -> None:
    """A portal outside publishes; items are staged; after a restart a decision on one of them counts."""
    async with composed.system().practice(TENANT) as practice:
        await practice.add_client("trust", harbour.FAMILY_TRUST)
        import_id = await practice.request("trust", harbour.FAMILY_TRUST)

        async def staged() -> bool:
            return (await practice.progress(import_id))["status"] == "ready_for_review"

        await eventually(staged, timeout=60)
        mara, holdings = sorted(
            await practice.portal.read(OPEN_ITEMS, "trust"), key=lambda item: item["xpm_party_id"]
        )
        assert [mara["xpm_party_id"], holdings["xpm_party_id"]] == [harbour.MARA, harbour.HOLDINGS]

        assert await asyncio.to_thread(composed.run, "restart", "resolver") == 0
        outcome = await practice.portal.tell(
            ItemIgnored(item_id=mara["item_id"], decided_by=STAFF), f"items/{mara['item_id']}"
        )

        assert outcome.result == "applied"
        assert [item["item_id"] for item in await practice.portal.read(OPEN_ITEMS, "trust")] == [
            holdings["item_id"]
        ]


async def test_a_service_that_dies_is_started_again(composed) -> None:
    """Nobody has to look after it."""
    await composed.until_well()
    died = composed.containers()["importer"]["State"]["StartedAt"]

    with suppress(NotFound):  # the command dies with its container
        composed.execute("importer", "kill -9 -1")

    await eventually(lambda: composed.containers()["importer"]["State"]["StartedAt"] != died, 60, 0.5)
    await composed.until_well()
