"""Who holds what in a checkout."""

import os
import signal
import subprocess
import sys

import pytest

from stack.claims import claim, holder
from stack.errors import StackBusy
from stack.settings import Addresses
from tests.support.eventually import eventually

HOLD_FOR_EVER = """
import pathlib, signal, sys
from stack.claims import claim
with claim(pathlib.Path(sys.argv[1]), "muster run"):
    print("held", flush=True)
    signal.pause()
"""

LOOK_FOR_EVER = """
import pathlib, sys
from stack.claims import holder
print("looking", flush=True)
while True:
    holder(pathlib.Path(sys.argv[1]))
"""


@pytest.fixture
def path(tmp_path):
    return tmp_path / "stack.claim"


@pytest.fixture
def other_process(path):
    """A process that holds the claim until it is killed."""
    command = [sys.executable, "-c", HOLD_FOR_EVER, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"held\n"
        yield process
        process.kill()


def test_nobody_holds_what_was_never_claimed(path):
    """Asking makes nothing."""
    assert holder(path) is None
    assert not path.exists()


def test_a_holder_says_who_it_is_and_where_its_stack_is(path):
    """Others learn the verb and the process at once, and the addresses when there are some."""
    with claim(path, "muster up") as held:
        assert (held_by := holder(path)) is not None
        assert ("muster up", os.getpid(), None) == (held_by.verb, held_by.pid, held_by.addresses)

        held.publish(Addresses("kafka:1", "postgresql://postgres:2"))

        assert Addresses("kafka:1", "postgresql://postgres:2") == holder(path).addresses


def test_a_claim_ends_with_its_block(path):
    """What was held is free again, although the file stays."""
    with claim(path, "muster up"):
        pass

    assert holder(path) is None
    assert path.exists()


def test_a_second_claim_is_refused_and_names_the_first(path, other_process):
    """Whoever comes second is told whom to stop."""
    with (
        pytest.raises(StackBusy, match=rf"`muster run` \(process {other_process.pid}\).*Ctrl-C"),
        claim(path, "muster up"),
    ):
        pass


async def test_a_killed_holder_holds_nothing(path, other_process):
    """There is nothing to clean up after kill -9."""
    other_process.send_signal(signal.SIGKILL)

    await eventually(lambda: holder(path) is None)
    with claim(path, "muster up"):
        assert holder(path).pid == os.getpid()


def test_looking_does_not_keep_others_from_claiming(path):
    """A claim waits out the moment in which somebody looks whether it is held."""
    with claim(path, "muster up"):
        pass
    with subprocess.Popen(
        [sys.executable, "-c", LOOK_FOR_EVER, str(path)], stdout=subprocess.PIPE
    ) as looking:
        try:
            assert looking.stdout.readline() == b"looking\n"
            for _ in range(1000):
                with claim(path, "muster up"):
                    pass
        finally:
            looking.kill()


def test_a_deleted_file_is_a_lost_claim(path):
    """The owner of a stack learns that its folder was deleted, even when another file has taken the place."""
    with claim(path, "muster up") as held:
        assert not held.lost
        path.unlink()
        assert held.lost
        path.touch()
        assert held.lost
