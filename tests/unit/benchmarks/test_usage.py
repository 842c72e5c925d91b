"""What processes use, as the benchmark counts it."""

import os
import socket
import subprocess
import sys

from benchmarks import usage

BUSY = "import time\nwhile time.process_time() < 0.3: pass\n"


def test_what_a_process_started_counts_while_it_runs_and_after_it_ended():
    before = usage.cpu_seconds(os.getpid())
    subprocess.run([sys.executable, "-c", BUSY], check=True)
    assert usage.cpu_seconds(os.getpid()) - before >= 0.29


def test_a_child_is_part_of_the_tree_until_it_is_gone():
    with subprocess.Popen(["sleep", "60"]) as child:
        assert child.pid in usage.tree(os.getpid())
        child.kill()
        child.wait()
    assert child.pid not in usage.tree(os.getpid())


def test_memory_grows_by_what_is_held():
    before = usage.rss_bytes(os.getpid())
    held = b"x" * 50_000_000
    assert usage.rss_bytes(os.getpid()) - before > 40_000_000
    assert held


def test_a_server_is_found_by_its_port():
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        assert usage.listener(server.getsockname()[1]) == os.getpid()


def test_a_process_that_is_gone_uses_nothing():
    with subprocess.Popen(["true"]) as child:
        child.wait()
    assert usage.cpu_seconds(child.pid) == 0
