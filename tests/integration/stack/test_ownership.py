"""No server outlives its owner, and no two owners get into each other's way."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from dataclasses import replace

import pytest

from stack.claims import holder
from stack.errors import ServerFailed, StackBusy, StackError
from stack.opening import find_stack, open_stack, own_stack
from stack.postgres import EmbeddedPostgres
from stack.process import ServerProcess
from stack.settings import Addresses, Source, StackSettings
from tests.support.eventually import eventually
from tests.support.procfs import parent_of, processes_of

OWN_A_STACK = """
import asyncio, pathlib, sys
from stack.opening import open_stack
from stack.settings import Source, StackSettings

async def main():
    settings = StackSettings(pathlib.Path(sys.argv[1]), Source.EMBEDDED)
    async with open_stack(settings, "muster run"):
        print("up", flush=True)
        await asyncio.sleep(3600)

asyncio.run(main())
"""

IGNORES_EVERYTHING = "trap '' TERM INT; while true; do sleep 1; done"


@pytest.fixture
def settings(tmp_path, kafka_address) -> StackSettings:
    """An embedded stack in a folder of its own; the program is there, since the shared broker runs on it."""
    return StackSettings(tmp_path / "data", Source.EMBEDDED)


@contextlib.contextmanager
def owner(settings):
    """A process that owns a stack until it is killed."""
    command = [sys.executable, "-c", OWN_A_STACK, str(settings.folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout.readline() == b"up\n"
            yield process
        finally:
            process.kill()


async def test_kill_9_of_the_owner_leaves_no_process(settings):
    """However the owner ends, everything it started ends too, in good order, and the next owner just starts."""
    with owner(settings) as process:
        assert len(processes_of(settings.folder)) > 4  # this one, two guardians, a broker and a postmaster
        process.send_signal(signal.SIGKILL)

        await eventually(lambda: not processes_of(settings.folder), timeout=40)
    with owner(settings):
        pass


async def test_the_next_owner_need_not_wait_for_the_clean_up(settings):
    """A new run right after a kill waits by itself until the old servers are gone."""
    with owner(settings) as process:
        process.send_signal(signal.SIGKILL)
        with owner(settings) as successor:
            assert holder(settings.folder / "stack.claim").pid == successor.pid


async def test_a_server_dies_with_its_guardian(postgres):
    """Killing what stands between owner and server does not leave a server behind."""
    await postgres.start()
    guardian = parent_of(postgres.process.pid)

    os.kill(guardian, signal.SIGKILL)

    await eventually(lambda: not processes_of(postgres.folder), timeout=10)
    await postgres.start()


async def test_an_interrupted_start_leaves_no_process(settings):
    """Ctrl-C while the servers come up ends what has come up so far."""
    opening = asyncio.create_task(own_stack(settings, "muster run").__aenter__())
    await eventually(lambda: processes_of(settings.folder))

    opening.cancel()

    with contextlib.suppress(asyncio.CancelledError):
        await opening
    assert not processes_of(settings.folder)


async def test_a_process_that_will_not_stop_is_killed(tmp_path):
    """A server that ignores the request has a time to comply in, and then no choice."""
    process = ServerProcess("stubborn", tmp_path)
    await process.start("/bin/sh", "-c", IGNORES_EVERYTHING, grace=0.3)

    await asyncio.wait_for(process.stop(), 5)

    assert not processes_of(tmp_path)


async def test_what_a_server_has_started_ends_with_it(tmp_path):
    """A server that leaves processes behind does not leave them to us."""
    process = ServerProcess("parent", tmp_path)
    await process.start("/bin/sh", "-c", f"sh -c 'sleep 600; : {tmp_path}' & wait")
    await eventually(lambda: len(processes_of(tmp_path)) > 2)

    await process.stop()

    await eventually(lambda: not processes_of(tmp_path))


async def test_a_command_that_cannot_be_run_is_named(tmp_path):
    """The reason comes from where the command was tried."""
    with pytest.raises(ServerFailed, match=r"/nowhere/server: .*No such file"):
        await ServerProcess("server", tmp_path).start("/nowhere/server")


async def test_two_servers_on_one_folder_do_not_start(tmp_path, postgres):
    """The second says what it waits for, and the first is not disturbed."""
    await postgres.start()
    second = EmbeddedPostgres(postgres.folder)
    second.process.patience = 0.2

    with pytest.raises(ServerFailed, match="still in use"):
        await second.start()

    assert postgres.process.running


async def test_a_second_run_in_the_same_checkout_is_refused(settings):
    """Two runs would share topics and tables; the second learns which process is in the way."""
    with (
        owner(settings) as process,
        pytest.raises(StackBusy, match=rf"`muster run` \(process {process.pid}\)"),
    ):
        async with open_stack(settings, "muster run"):
            pass


async def test_a_stack_that_is_up_can_be_found(settings):
    """Other commands reach the stack of a run, and find none once it has ended."""
    async with own_stack(settings, "muster run") as (addresses, _):
        assert addresses == find_stack(settings)

    assert find_stack(settings) is None


async def test_addresses_from_the_environment_are_used_and_nothing_is_started(
    tmp_path, kafka_address, postgres_dsn
):
    """Who brings a Kafka and a Postgres gets those."""
    settings = StackSettings(tmp_path, kafka=kafka_address, postgres=postgres_dsn)

    async with open_stack(settings, "muster run") as addresses:
        assert Addresses(kafka_address, postgres_dsn) == addresses
        assert not processes_of(tmp_path)


async def test_one_address_from_the_environment_is_completed(settings, kafka_address):
    """Who brings only a Kafka gets a Postgres."""
    partly = replace(settings, source=Source.AUTO, kafka=kafka_address)

    async with open_stack(partly, "muster run") as addresses:
        assert kafka_address == addresses.kafka
        assert addresses.postgres.startswith("postgresql://muster:")


async def test_a_given_address_that_does_not_answer_is_named(tmp_path, postgres_dsn, monkeypatch):
    """A wrong variable is told from a failure of ours."""
    monkeypatch.setattr("stack.opening.ANSWERS_WITHIN", 0.1)
    settings = StackSettings(tmp_path, kafka="127.0.0.1:9", postgres=postgres_dsn)

    with pytest.raises(ServerFailed, match=r"MUSTER_KAFKA \(127\.0\.0\.1:9\) did not answer"):
        async with open_stack(settings, "muster run"):
            pass


async def test_environment_without_addresses_is_refused(tmp_path):
    """Asking for the environment's stack without giving one is an error, not a reason to start another."""
    with pytest.raises(StackError, match="MUSTER_KAFKA and MUSTER_POSTGRES_DSN"):
        async with open_stack(StackSettings(tmp_path, Source.ENVIRONMENT), "muster run"):
            pass
