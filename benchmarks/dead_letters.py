"""Dead letters in quantity: how long each verb takes, and how much memory, as an operator would have it.

`make bench-dead-letters LETTERS=100000 DECISIONS=1000000`. Letters are kept as the resolver keeps them; the tables
hold so many decisions, so that a look for newer facts costs what it would cost. Each verb is a process of its own.
"""

import asyncio
import json
import os
import sys
import time
from argparse import ArgumentParser
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
from rich.console import Console
from rich.table import Table

from benchmarks.place import Place, fresh_place
from schemas.codec import encode
from schemas.people import AmendedPerson
from schemas.portal import MemberRecorded
from schemas.topics import JOURNAL
from stack.opening import open_stack
from stack.settings import StackSettings
from worker.deadletters import PREFIX
from worker.publisher import Letter, Publisher
from worker.routing import partition_of
from worker.settings import Settings

console = Console(highlight=False, width=110)

TENANTS = 500
CHUNK = 2000
SHARES = (
    "misrouted",
    "misrouted",
    "misrouted",
    "misrouted",
    "misrouted",
    "misrouted",
    "failed",
    "failed",
    "not_json",
)
SETTINGS = ("kafka", "postgres_dsn", "topic_prefix")
STACK = StackSettings.from_environment

_DECISIONS = """
INSERT INTO resolver_g1.decisions
    (tenant_id, partition, "offset", ordinal, at, result, claims_id, event_id, event_type, client_id, member_id)
SELECT tenants.tenant_id, tenants.partition, each, 0, now(), 'applied', true, 'e' || each,
    'muster.member.recorded.v1', 'client-' || each % 1000, 'member-' || each
FROM unnest($1::text[], $2::integer[]) WITH ORDINALITY AS tenants (tenant_id, partition, number)
CROSS JOIN generate_series(tenants.number, $3::bigint, $4::bigint) AS each
"""


@dataclass(frozen=True)
class Run:
    """One verb: what was typed, seconds, megabytes at the most, its exit code and its answer."""

    typed: str
    seconds: float
    megabytes: float
    code: int
    answer: dict[str, Any]


def main() -> None:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--letters", type=int, default=100_000)
    parser.add_argument("--decisions", type=int, default=1_000_000)
    asyncio.run(_measure(parser.parse_args().letters, parser.parse_args().decisions))


async def _measure(letters: int, decisions: int) -> None:
    settings = STACK()
    async with (
        open_stack(settings, "bench-dead-letters", console.print) as addresses,
        fresh_place(addresses, settings.folder) as place,
    ):
        await _decide(place, decisions)
        await _keep(place, letters)
        console.print(f"{letters:,} dead letters, {decisions:,} decisions")
        _print([run async for run in _runs(place)], letters)


async def _runs(place: Place) -> AsyncIterator[Run]:
    listed = await _muster(place, "list")
    yield listed
    yield await _muster(place, "list", "--why", "failed", "--tenant", "tenant-7")
    yield await _muster(place, "show", listed.answer["letters"][0]["id"])
    yield await _muster(place, "redrive", "--why", "misrouted")
    yield await _muster(place, "redrive", "--tenant", "tenant-7", "--apply")
    yield await _muster(place, "redrive", "--why", "misrouted", "--apply")
    yield await _muster(place, "discard", "--why", "not_json", "--reason", "measured", "--apply")
    yield await _muster(place, "list")


async def _muster(place: Place, *words: str) -> Run:
    variables = {f"MUSTER_{name.upper()}": _plain(place.settings, name) for name in SETTINGS}
    return await asyncio.to_thread(_typed, words, {**os.environ, **variables})


def _typed(words: Sequence[str], variables: dict[str, str]) -> Run:
    """Run the verb as a process, and see what it used; `wait4` tells, where `subprocess` does not."""
    began = time.perf_counter()
    read, write = os.pipe()
    pid = os.posix_spawn(
        Path(sys.executable).with_name("muster"),
        ["muster", "dead-letters", *words, "--json"],
        variables,
        file_actions=[(os.POSIX_SPAWN_DUP2, write, 1), (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0)],
    )
    os.close(write)
    answer = _read(read)
    _, status, used = os.wait4(pid, 0)
    return Run(
        " ".join(words),
        time.perf_counter() - began,
        used.ru_maxrss / 1024,
        os.waitstatus_to_exitcode(status),
        json.loads(answer),
    )


def _read(descriptor: int) -> bytes:
    with os.fdopen(descriptor, "rb") as pipe:
        return pipe.read()


def _plain(settings: Settings, name: str) -> str:
    value = getattr(settings, name)
    return value.get_secret_value() if hasattr(value, "get_secret_value") else str(value)


async def _decide(place: Place, number: int) -> None:
    database = await asyncpg.connect(place.dsn)
    tenants = [f"tenant-{each}" for each in range(TENANTS)]
    partitions = [partition_of(each.encode(), place.settings.journal_partitions) for each in tenants]
    await database.execute(_DECISIONS, tenants, partitions, number, TENANTS)
    await database.execute("ANALYZE resolver_g1.decisions")
    await database.close()


async def _keep(place: Place, number: int) -> None:
    publisher = Publisher(place.settings, "bench", compression="gzip")
    assert JOURNAL.dead_letters is not None
    for start in range(0, number, CHUNK):
        await publisher.send([*_letters(place, start, min(start + CHUNK, number))])
    await publisher.close()


def _letters(place: Place, start: int, end: int) -> Iterator[Letter]:
    for each in range(start, end):
        tenant, why = f"tenant-{each % TENANTS}", SHARES[each % len(SHARES)]
        partition = partition_of(tenant.encode(), place.settings.journal_partitions)
        said = {
            "id": f"{each:08x}-0000-4000-8000-000000000000",
            "group": "resolver",
            "why": why,
            "detail": "measured",
            "topic": JOURNAL.name,
            "partition": str(partition if why != "misrouted" else partition + 1),
            "offset": str(10**9 + each),
            "timestamp": "2026-01-01T00:00:00.000Z",
            "at": "2026-01-01T00:00:00.000Z",
            "attempts": "1",
            "error": "ValueError" if why == "failed" else "",
        }
        headers = [(PREFIX + name, text.encode()) for name, text in said.items()]
        value = b"{" if why == "not_json" else _member(tenant, each)
        assert JOURNAL.dead_letters is not None
        yield Letter(JOURNAL.dead_letters, tenant.encode(), value, headers)


def _member(tenant: str, each: int) -> bytes:
    return encode(
        MemberRecorded(
            member_id=f"new-{each}" if each % 10 else f"member-{each}",
            client_id="client-1",
            recorded_by="Anna Lindqvist",
            personal=AmendedPerson(
                name=f"Person {each}", email=f"person{each}@example.com", address="7 Wattle Parade\nFernleigh"
            ),
        ),
        id=f"letter-{each}",
        source="/bench",
        time="2026-01-01T00:00:00Z",
        subject="bench",
        tenant_id=tenant,
    )


def _print(runs: Sequence[Run], letters: int) -> None:
    table = Table("muster dead-letters", "seconds", "letters/s", "MB", "exit code", "came to", box=None)
    for run in runs:
        told = {name: value for name, value in run.answer.items() if isinstance(value, int)}
        table.add_row(
            run.typed,
            f"{run.seconds:.1f}",
            f"{letters / run.seconds:,.0f}",
            f"{run.megabytes:.0f}",
            str(run.code),
            ", ".join(f"{name} {value:,}" for name, value in told.items() if name != "applied"),
        )
    console.print(table)


if __name__ == "__main__":
    main()
