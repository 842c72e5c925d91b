"""Kafka and Postgres in containers, for processes of ours outside: the second way in which the stack comes up."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from stack.containers import delete_volumes, volume
from tests.support.engine import engine, require_engine
from tests.support.eventually import eventually

pytestmark = pytest.mark.containers

UP_SECONDS = 300


class Checkout:
    """A folder for data of its own, and the `muster` command on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def start(self, *arguments: str, output: Path) -> subprocess.Popen[bytes]:
        with output.open("wb") as log:
            return subprocess.Popen(
                [Path(sys.executable).parent / "muster", *arguments],
                env=os.environ | {"MUSTER_STACK": "docker", "MUSTER_FOLDER": str(self.folder)},
                stdout=log,
                stderr=log,
            )

    def containers(self) -> set[str]:
        """Names of the containers that are on this folder's volumes."""
        with engine() as client:
            names = {each.name for each in client.containers.list(all=True)}
        return names & {volume(self.folder, part) for part in ("kafka", "postgres")}


@pytest.fixture
def checkout(tmp_path) -> Iterator[Checkout]:
    require_engine()
    yield Checkout(tmp_path / "data")
    delete_volumes(tmp_path / "data")


async def test_the_journey_is_played_on_containers_also_after_a_crash(checkout, tmp_path) -> None:
    """A run that was killed leaves its containers; the next takes their data over and leaves nothing running."""
    log = tmp_path / "log"
    killed = checkout.start("run", output=log)
    await eventually(lambda: "Everything is up" in log.read_text(), UP_SECONDS, 0.5)
    killed.kill()
    killed.wait()

    again = checkout.start("run", "--once", output=log)

    await eventually(lambda: again.poll() is not None, UP_SECONDS, 0.5, "the second run ends")
    assert again.returncode == 0, log.read_text()
    assert re.search("everything came out as expected", log.read_text())
    assert checkout.containers() == set()
