"""Encrypting anew whatever an older key has encrypted, so that old keys can go."""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from services.importer.connecting.keyring import CannotOpen, Keyring
from services.importer.connecting.store import QUERIES
from worker import retry
from worker.failures import Verdict, classify, describe

if TYPE_CHECKING:
    from asyncpg import Pool, Record

    from services.importer.connecting.store import Anywhere

log = structlog.get_logger(__name__)

EVERY_SECONDS = 3600.0
PLACES = ("connections", "choices", "revocations")


@dataclass(frozen=True, slots=True)
class Sealed:
    """How many token sets are encrypted with the newest key, how many with an older one, and how many no key opens.

    `locked_out` are the tenants whose sets no key opens.
    """

    newest: int
    older: int
    unreadable: int
    locked_out: Sequence[str]


async def run(pool: "Pool[Record]", keyring: Keyring) -> None:
    """Encrypt anew at the start and every hour, since a process with older keys may have written meanwhile."""
    attempt = 0
    while True:
        try:
            found = await reseal(pool, keyring)
            attempt, pause = 0, EVERY_SECONDS
        except Exception as error:
            if classify(error) is not Verdict.PASSING:
                raise
            attempt += 1
            pause = retry.delay(attempt, random.random())  # noqa: S311 - not for secrets
            log.warning("not_encrypted_anew", error=describe(error))
        else:
            if found.older or found.unreadable:
                log.warning("encrypted_anew", done=found.older, unreadable=found.unreadable)
        await asyncio.sleep(pause)


async def reseal(database: "Anywhere", keyring: Keyring, *, apply: bool = True) -> Sealed:
    """Encrypt with the newest key what is encrypted with an older one; returned is how it was found.

    A row that is written meanwhile is left alone: whoever wrote it had the newer word.
    """
    newest = older = 0
    unreadable: list[str] = []
    for place in PLACES:
        stale: list[tuple[str, bytes, bytes]] = []
        for row in await database.fetch(QUERIES[f"sealed_{place}"]):
            try:
                resealed = keyring.resealed(row["tokens"])
            except CannotOpen:
                unreadable.append(row["tenant_id"])
                continue
            if resealed is None:
                newest += 1
            else:
                stale.append((row["tenant_id"], row["tokens"], resealed))
        older += len(stale)
        if apply and stale:
            tenants, before, after = (list(column) for column in zip(*sorted(stale), strict=True))
            await database.execute(QUERIES[f"reseal_{place}"], tenants, before, after)
    return Sealed(newest, older, len(unreadable), sorted(set(unreadable)))
