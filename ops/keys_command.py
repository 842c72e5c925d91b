"""`muster xpm-keys`: the keys that encrypt XPM's tokens."""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated

import typer
from cryptography.fernet import Fernet

from ops.addresses import settings_in_reach
from ops.audit import audited, end_killed
from ops.ending import Exit, Misused
from ops.voice import Apply, AsJson, speaking
from services.importer.connecting.keyring import Keyring
from services.importer.connecting.upkeep import Sealed, reseal
from services.importer.settings import ImporterSettings
from worker.database import connect
from worker.settings import Settings

VERB = "xpm-keys"
TENANTS_NAMED = 10


def command(
    *,
    new: Annotated[bool, typer.Option("--new", help="Only make a key, and print it.")] = False,
    apply: Apply = False,
    as_json: AsJson = False,
) -> None:
    """Say how many practices' tokens each kind of key in MUSTER_XPM_TOKEN_KEYS opens; --apply encrypts them anew.

    To rotate: make a key, put it in front of the others, start the importers again (they encrypt anew by themselves,
    within an hour), and take the old key away when this says that nothing needs it. The exit code is 1 until then.

    For example:

        muster xpm-keys --new
        muster xpm-keys
        muster xpm-keys --apply
    """
    with speaking(as_json=as_json) as voice:
        if new:
            key = Fernet.generate_key().decode()
            voice.answer({"key": key}, key)
            return
        keys = ImporterSettings().keys
        if not keys:
            raise Misused("MUSTER_XPM_TOKEN_KEYS is empty; `muster xpm-keys --new` makes a key.")
        found = asyncio.run(_look(settings_in_reach(), Keyring(keys), apply=apply))
        voice.answer({**asdict(found), "applied": apply}, *_told(found, apply=apply))
        if found.unreadable or (found.older and not apply):
            raise typer.Exit(Exit.ATTENTION)


async def _look(settings: Settings, keyring: Keyring, *, apply: bool) -> Sealed:
    await end_killed(settings, VERB)
    database = await connect(settings, "xpm-keys", role="muster_importer", search_path="importer")
    try:
        if not apply:
            return await reseal(database, keyring, apply=False)
        async with audited(settings, VERB, {"encrypt": "anew"}):
            return await reseal(database, keyring)
    finally:
        await database.close()


def _told(found: Sealed, *, apply: bool) -> list[str]:
    said = [f"Token sets encrypted with the newest key: {found.newest:,}"]
    if found.older:
        done = "encrypted anew just now" if apply else "with an older one, which is still needed, or --apply"
        said.append(f"  {done}: {found.older:,}")
    if found.unreadable:
        said.append(f"  that no key opens: {found.unreadable:,}, of {_named(found.locked_out)}")
        said.append("Put the key that is missing back. If it is lost, these practices have to connect again.")
    return said


def _named(tenants: Sequence[str]) -> str:
    more = len(tenants) - TENANTS_NAMED
    return ", ".join(tenants[:TENANTS_NAMED]) + (
        f" and {more:,} more: --json names them all" if more > 0 else ""
    )
