"""`muster up`, `down`, `status` and `reset`, as a person types them."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import asyncpg
import pytest

from ops.ending import Exit
from stack.claims import holder
from tests.support.eventually import eventually
from tests.support.procfs import processes_of


@pytest.fixture
def muster(tmp_path, kafka_address):
    """Run a verb on a folder of its own, without a person to answer; its exit code and all it said."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MUSTER_")}
    environment |= {"MUSTER_FOLDER": str(tmp_path / "data"), "MUSTER_STACK": "embedded"}

    def run(*words):
        finished = subprocess.run(
            [Path(sys.executable).with_name("muster"), *words],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return finished.returncode, finished.stdout + finished.stderr

    yield run
    run("down")


def exported(said, name):
    [line] = [line for line in said.splitlines() if f"export {name}=" in line]
    return line.partition("=")[2]


async def test_up_status_and_down(muster, tmp_path):
    """What is up answers, stays the same when asked for again, and is gone after `down`."""
    code, said = muster("up")
    assert code == 0, said
    dsn = exported(said, "MUSTER_POSTGRES_DSN")
    connection = await asyncpg.connect(dsn)
    await connection.close()

    code, again = muster("up")
    assert code == 0
    assert dsn == exported(again, "MUSTER_POSTGRES_DSN")

    code, said = muster("status")
    assert code == 0
    assert said.count(" answers at ") == 2
    password = dsn.split(":")[2].split("@")[0]
    assert password not in said

    code, said = muster("down")
    assert (code, said) == (0, "Down.\n")
    assert not processes_of(tmp_path)
    assert "not up" in muster("status")[1]


async def test_kill_9_of_what_up_left_running_leaves_nothing(muster, tmp_path):
    """The background owner is an owner like any other."""
    muster("up")
    os.kill(holder(tmp_path / "data" / "stack.claim").pid, signal.SIGKILL)

    await eventually(lambda: not processes_of(tmp_path), timeout=40)
    assert muster("up")[0] == 0


async def test_a_dead_server_is_brought_back_by_up(muster, tmp_path):
    """When one of the two dies the other is stopped as well, and `up` starts both."""
    muster("up")
    kafka = next(pid for pid, command in processes_of(tmp_path).items() if " kafka.Kafka " in command)
    os.kill(kafka, signal.SIGKILL)

    await eventually(lambda: holder(tmp_path / "data" / "stack.claim") is None, timeout=40)

    assert muster("up")[0] == 0
    assert muster("status")[0] == 0


async def test_a_deleted_folder_ends_its_stack(muster, tmp_path):
    """Deleting a checkout needs no thought of what it left running."""
    muster("up")
    (tmp_path / "data" / "stack.claim").unlink()

    await eventually(lambda: not processes_of(tmp_path), timeout=60)


def test_reset_deletes_the_data_and_only_when_asked_to(muster, tmp_path):
    """Without an answer nothing is deleted, and never under a running stack."""
    muster("up")
    assert muster("reset", "--yes")[0] == Exit.REFUSED
    muster("down")
    data = tmp_path / "data" / "postgres" / "data"

    assert muster("reset")[0] == 1
    assert data.exists()

    assert muster("reset", "--yes") == (0, "Deleted.\n")
    assert not data.exists()
    assert not (tmp_path / "data" / "kafka").exists()


def test_down_with_nothing_up_is_no_failure(muster):
    """What is asked for is so already."""
    assert muster("down") == (0, "Nothing is up.\n")
