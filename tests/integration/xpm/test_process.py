"""The sandbox as a process of its own."""

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator

import httpx
import pytest

from sandbox import harbour
from tests.support.eventually import eventually

HARBOUR = {"authorization": f"Bearer {harbour.TOKEN}", "xero-tenant-id": harbour.TENANT_ID}


@pytest.fixture
def port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


@pytest.fixture
def process(port) -> Iterator[subprocess.Popen[str]]:
    command = [
        sys.executable,
        "-m",
        "sandbox",
        "--port",
        str(port),
        "--made-up",
        "tern:20",
        "--quota",
        "real",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as started:
        yield started
        started.kill()


async def test_it_serves_the_practices_it_was_told_and_stops_without_a_word(process, port):
    """Made-up practices and trouble that were asked for are no reason to complain, and Ctrl-C ends it."""
    async with httpx.AsyncClient() as http:

        async def practices():
            return (await http.get(f"http://127.0.0.1:{port}/sandbox/practices")).json()

        found = await eventually(practices, timeout=20)
        await http.post(f"http://127.0.0.1:{port}/sandbox/faults", json={"kind": "cut", "calls": 1})
        with pytest.raises(httpx.RemoteProtocolError):
            await http.get(f"http://127.0.0.1:{port}/practicemanager/3.1/staff.api/list", headers=HARBOUR)
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=20)

    assert [(it["name"], it["token"], it["parties"]) for it in found] == [
        (harbour.NAME, harbour.TOKEN, 9),
        ("Made-up Practice tern", "made-up-tern", 20),
    ]
    assert harbour.TENANT_ID in output
    assert errors == ""
