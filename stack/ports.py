"""Ports on this machine's loopback: free ones, and whose they are."""

import contextlib
import random
import socket
from pathlib import Path

from stack.errors import ServerFailed

LOOPBACK = "127.0.0.1"
CANDIDATES = range(20_000, 32_000)
"""Below Linux's range for outgoing connections: while a server is down, a client that tries to reach it again and
again may otherwise be given that very port as its own, and so connect to itself."""

LISTENING = "0A"


def free_port(preferred: int | None = None) -> int:
    """Return the preferred port if it is free now, else another one.

    Free now is not free later: whoever listens on it must be checked afterwards, with `listens`.
    """
    tried = [preferred] if preferred else []
    for port in [*tried, *random.sample(CANDIDATES, 100)]:
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((LOOPBACK, port))
            return port
    raise ServerFailed(f"No free port found between {CANDIDATES.start} and {CANDIDATES.stop}.")


def listens(pid: int, port: int) -> bool:
    """Whether that very process is the one that listens on the port.

    Whose it is takes long to find out, and is only looked up once somebody answers.
    """
    return answers(port) and bool(listeners(port) & sockets_of(pid))


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((LOOPBACK, port)) == 0


def listeners(port: int) -> set[str]:
    """Return the inodes of the sockets that listen on the port, on any address."""
    sign = f":{port:04X}"
    rows = (line.split() for line in socket_table() if sign in line)
    return {row[9] for row in rows if row[3] == LISTENING and row[1].endswith(sign)}


def socket_table() -> list[str]:
    tables = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
    return [line for table in tables if table.exists() for line in table.read_text().splitlines()[1:]]


def sockets_of(pid: int) -> set[str]:
    found = set()
    with contextlib.suppress(OSError):
        for descriptor in Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(OSError):
                found.add(str(descriptor.readlink()).removeprefix("socket:[").removesuffix("]"))
    return found
