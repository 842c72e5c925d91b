"""`muster xpm-keys` against a real Postgres: the rotation of the keys that encrypt XPM's tokens."""

import asyncio
import json
import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest
from cryptography.fernet import Fernet

from services.importer.connecting.keyring import CannotOpen, Keyring
from tests.support.eventually import eventually

OLD, NEW, LOST = (Fernet.generate_key().decode() for _ in range(3))
PLACES = ("connections", "choices", "revocations")
TENANTS = ("t1", "t2", "t3")


@dataclass(frozen=True)
class Said:
    """How a run ended, and what it said."""

    code: int
    words: str
    complaints: str

    @property
    def document(self) -> dict[str, object]:
        found: dict[str, object] = json.loads(self.words)
        return found


@dataclass(frozen=True)
class Vaults:
    """The tables of token sets, and the command before them."""

    dsn: str
    database: asyncpg.Connection

    async def seal(self, key: str) -> None:
        """One token set of each tenant in each place."""
        for tenant in TENANTS:
            sealed = Keyring([key]).seal(tenant, {"access": f"access of {tenant}", "refresh": "r"})
            await self.database.execute(
                "INSERT INTO importer.connections (tenant_id, state, connection_id, xpm_tenant_id, practice_name, "
                "tokens, refresh_at) VALUES ($1, 'connected', 'c', 'x', 'n', $2, clock_timestamp())", tenant, sealed,
            )  # fmt: skip
            await self.database.execute(
                "INSERT INTO importer.choices (tenant_id, tokens, refresh_at, practices) "
                "VALUES ($1, $2, clock_timestamp(), '[]')", tenant, sealed,
            )  # fmt: skip
            await self.database.execute(
                "INSERT INTO importer.revocations (tenant_id, tokens) VALUES ($1, $2)", tenant, sealed
            )

    async def opened_by(self, *keys: str) -> dict[str, int]:
        """How many token sets of each place these keys open, each for its own tenant."""
        found = {}
        for place in PLACES:
            rows = await self.database.fetch(f"SELECT tenant_id, tokens FROM importer.{place}")
            found[place] = sum(opens(Keyring(keys), row["tenant_id"], row["tokens"]) for row in rows)
        return found

    async def begin(self, keys: str, *words: str) -> asyncio.subprocess.Process:
        """`muster xpm-keys` as a process of its own."""
        variables = {"MUSTER_POSTGRES_DSN": self.dsn, "MUSTER_DEMO": "false", "MUSTER_XPM_TOKEN_KEYS": keys}
        return await asyncio.create_subprocess_exec(
            Path(sys.executable).with_name("muster"), "xpm-keys", *words, env=os.environ | variables,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip

    async def run(self, keys: str, *words: str) -> Said:
        process = await self.begin(keys, *words)
        words_out, complaints = await process.communicate()
        assert process.returncode is not None
        return Said(process.returncode, words_out.decode(), complaints.decode())


def opens(keyring: Keyring, tenant: str, sealed: bytes) -> bool:
    try:
        return keyring.open(tenant, sealed)["access"] == f"access of {tenant}"
    except CannotOpen:
        return False


def everywhere(number: int) -> dict[str, int]:
    return dict.fromkeys(PLACES, number)


@pytest.fixture
async def vaults(database: str):
    connection = await asyncpg.connect(database)
    yield Vaults(database, connection)
    await connection.close()


async def test_a_key_is_rotated_and_the_old_one_can_go(vaults: Vaults):
    """Looking changes nothing and says 1 as long as the old key is needed; afterwards it is needed nowhere."""
    await vaults.seal(OLD)
    looked = await vaults.run(f"{NEW},{OLD}", "--json")
    assert (looked.code, looked.document) == (
        1, {"newest": 0, "older": 9, "unreadable": 0, "locked_out": [], "applied": False}
    )  # fmt: skip
    assert await vaults.opened_by(OLD) == everywhere(3)

    assert (await vaults.run(f"{NEW},{OLD}", "--apply")).code == 0
    assert await vaults.opened_by(NEW) == everywhere(3)
    assert await vaults.opened_by(OLD) == everywhere(0)
    assert (await vaults.run(NEW)).code == 0
    noted = await vaults.database.fetch("SELECT verb, what FROM ops.audit ORDER BY at")
    assert [(row["verb"], row["what"]) for row in noted] == [("xpm-keys", "begun"), ("xpm-keys", "done")]


async def test_a_rotation_that_is_killed_in_the_middle_is_finished_by_the_next(vaults: Vaults):
    """One table is encrypted anew and the others are not: both keys open everything, and none is lost."""
    await vaults.seal(OLD)
    async with vaults.database.transaction():
        await vaults.database.execute("LOCK TABLE importer.choices IN SHARE MODE")
        running = await vaults.begin(f"{NEW},{OLD}", "--apply")

        async def has_come_so_far() -> bool:
            return (await vaults.opened_by(NEW))["connections"] == len(TENANTS)

        await eventually(has_come_so_far, timeout=30)
        running.send_signal(signal.SIGKILL)
        await running.communicate()
    await eventually(lambda: is_alone(vaults), timeout=10)

    assert await vaults.opened_by(NEW) == {"connections": 3, "choices": 0, "revocations": 0}
    assert await vaults.opened_by(NEW, OLD) == everywhere(3)
    assert (await vaults.run(f"{NEW},{OLD}", "--json")).document["older"] == 6
    assert (await vaults.run(f"{NEW},{OLD}", "--apply")).code == 0
    assert await vaults.opened_by(NEW) == everywhere(3)


async def is_alone(vaults: Vaults) -> bool:
    """Whether the process that was killed has left the server too."""
    others = await vaults.database.fetchval(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
        "AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
    )
    return bool(others == 0)


async def test_without_the_key_that_sealed_nothing_is_touched(vaults: Vaults):
    """What no key opens is counted and left as it is, also with --apply; with the key back it is all there."""
    await vaults.seal(LOST)
    for words in ((), ("--apply",)):
        said = await vaults.run(f"{NEW},{OLD}", *words)
        assert said.code == 1
        assert "no key opens: 9, of" in said.words
    assert await vaults.opened_by(LOST) == everywhere(3)


@pytest.mark.parametrize(
    ("keys", "complaint"), [("", "xpm-keys --new"), ("not-a-key", "32 bytes in URL-safe base64")]
)
async def test_no_key_and_what_is_no_key_are_said(vaults: Vaults, keys: str, complaint: str):
    said = await vaults.run(keys, "--apply")
    assert said.code == 2
    assert complaint in said.complaints + said.words
