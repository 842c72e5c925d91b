"""What processes have used, as `/proc` counts it: a process with all that it started, and servers by their port."""

import os
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from stack.ports import listeners, sockets_of
from stack.settings import Addresses

TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Servers:
    """The process of Kafka and that of Postgres, where they run on this machine."""

    kafka: int | None
    postgres: int | None

    def cpu_seconds(self) -> tuple[float, float]:
        """What the two have used so far; nothing for one that is elsewhere."""
        kafka, postgres = (cpu_seconds(pid) if pid else 0.0 for pid in (self.kafka, self.postgres))
        return kafka, postgres


class Meter:
    """What some processes, this one and the machine use between two moments."""

    def __init__(self, processes: Mapping[str, int | None]) -> None:
        """Begins at once. A process that is not on this machine is left out."""
        self._pids = {name: pid for name, pid in processes.items() if pid is not None}
        self._before = self._now()

    def end(self, things: int) -> dict[str, float]:
        """CPU seconds a thing of each process, and as `busy` the share of the machine that was not idle."""
        used = {name: value - self._before[name] for name, value in self._now().items()}
        idle, whole = used.pop("idle"), used.pop("whole")
        return {name: seconds / things for name, seconds in used.items()} | {"busy": 1 - idle / whole}

    def _now(self) -> dict[str, float]:
        first = Path("/proc/stat").read_text(encoding="ascii").partition("\n")[0]
        ticks = [int(each) / TICKS for each in first.split()[1:9]]
        return {name: cpu_seconds(pid) for name, pid in self._pids.items()} | {
            "generator": time.process_time(),
            "idle": ticks[3] + ticks[4],
            "whole": sum(ticks),
        }


def servers(addresses: Addresses) -> Servers:
    """Find the two by the ports they listen on."""
    kafka = int(addresses.kafka.split(",")[0].rpartition(":")[2])
    return Servers(listener(kafka), listener(urlsplit(addresses.postgres).port or 5432))


def listener(port: int) -> int | None:
    """The oldest process that listens on the port, or none where it can't be seen."""
    inodes = listeners(port)
    return min((pid for pid in _pids() if sockets_of(pid) & inodes), default=None)


def cpu_seconds(pid: int) -> float:
    """Used so far by the process, by what it started, and by what of that has ended."""
    return sum(sum(map(int, _stat(each)[11:15])) for each in tree(pid)) / TICKS


def rss_bytes(pid: int) -> int:
    """Resident memory of the process and of what it started; what they share is counted for each."""
    return sum(int(_stat(each)[21]) for each in tree(pid)) * PAGE


def tree(pid: int) -> list[int]:
    """The process and everything it started that is still there."""
    children: dict[int, list[int]] = {}
    for each in _pids():
        if fields := _stat(each, missing=()):
            children.setdefault(int(fields[1]), []).append(each)
    found = [pid]
    for each in found:
        found.extend(children.get(each, ()))
    return found


def _pids() -> Iterable[int]:
    return (int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit())


def _stat(pid: int, missing: tuple[str, ...] = ("0",) * 50) -> tuple[str, ...]:
    """The fields of a process after its name, beginning with the state; `missing` when it is gone."""
    try:
        return tuple(Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split())
    except (OSError, UnicodeDecodeError):
        return missing
