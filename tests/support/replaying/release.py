"""A release of Muster as a test has it: `python -m tests.support.replaying.release MODULE [ARGUMENT ...]`.

Whose rules are wrong, which number they have and where it dies is said by TEST_RELEASE: `1,refuses_ignoring,breaks`.
Nothing of this is in the product: rules and functions are replaced from outside before the module runs.
"""

import asyncio
import os
import runpy
import sys
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, NoReturn

from msgspec.structs import replace

from schemas.decisions import ItemIgnored
from schemas.imports import ItemStaged
from schemas.portal import MemberRecorded, MemberRemoved
from services.resolver.domain import fold, imports, portal, version
from services.resolver.domain.change import Change
from services.resolver.domain.reasons import Refusal

BROKEN = "the release under test breaks on this"


def _refuses_ignoring(_change: Change, _data: ItemIgnored) -> None:
    """A rule that is wrong: nothing can be ignored."""
    raise Refusal("item_not_found")


def _refuses_members(_change: Change, _data: MemberRecorded) -> None:
    """A rule that is wrong: whatever the e-mail, it is taken for none."""
    raise Refusal("email_invalid")


def _breaks(change: Change, data: MemberRemoved) -> None:
    """A rule that breaks on some records: where the member's id has an odd last character."""
    portal.member_removed(change, data)
    if ord(data.member_id[-1]) % 2:
        raise ZeroDivisionError(BROKEN)


def _archives(change: Change, data: ItemStaged) -> None:
    """A rule that gets a detail wrong: whoever is staged counts as archived in XPM, or as not archived."""
    imports.item_staged(change, data)
    item = change.state.items[data.item_id]
    change.put_item(replace(item, archived=not data.archived))


DEFECTS: Mapping[str, tuple[type, Callable[[Any, Any], None]]] = {
    "refuses_ignoring": (ItemIgnored, _refuses_ignoring),
    "refuses_members": (MemberRecorded, _refuses_members),
    "archives": (ItemStaged, _archives),
    "breaks": (MemberRemoved, _breaks),
}


def install(release: str) -> None:
    """Be this release."""
    rules, *traits = release.split(",")
    version.RULES_VERSION = int(rules)
    for trait in traits:
        if trait in DEFECTS:
            kind, rule = DEFECTS[trait]
            fold.RULES[kind] = rule
        else:
            _die_at(trait)


def _die(*_: object, **__: object) -> NoReturn:
    os._exit(9)


def _die_at(place: str) -> None:
    from services.resolver import generations  # noqa: PLC0415 - after the version is set
    from services.resolver.replaying import course, crew, outbox  # noqa: PLC0415

    match place:
        case "dies_comparing":
            course.Settling.compare = _die
        case "pauses_folding":
            _after(crew.Folder, "_store", asyncio.Event().wait)
        case "pauses_before_commit":
            _before(generations, "show", _at_the_gate)
        case "dies_before_commit":
            generations.show = _die
        case "dies_after_commit":
            outbox.publish = _die
        case "dies_once_live":
            course.Builder.drop_replaced = _die
        case "dies_publishing":
            outbox.AT_ONCE = 1
            _after(outbox.Publisher, "publish", _die)
        case "dies_folding":
            _after(crew.Folder, "_store", _die)
        case _:
            raise ValueError(place)


async def _at_the_gate() -> None:
    """Say that one has come here, by a file, and wait for another."""
    gate = Path(os.environ["TEST_GATE"])
    gate.with_suffix(".reached").touch()
    while not gate.with_suffix(".open").exists():  # noqa: ASYNC110 - another process opens it
        await asyncio.sleep(0.02)


def _before(owner: Any, name: str, first: Callable[[], Awaitable[Any]]) -> None:
    done = getattr(owner, name)

    async def replaced(*arguments: Any, **named: Any) -> Any:
        await first()
        return await done(*arguments, **named)

    setattr(owner, name, replaced)


def _after(owner: Any, name: str, then: Callable[[], Awaitable[Any] | None]) -> None:
    done = getattr(owner, name)

    async def replaced(*arguments: Any, **named: Any) -> Any:
        result = await done(*arguments, **named)
        waiting = then()
        if waiting is not None:
            await waiting
        return result

    setattr(owner, name, replaced)


install(os.environ.get("TEST_RELEASE", "1"))

if __name__ == "__main__":
    module = sys.argv[1]
    sys.argv = sys.argv[1:]
    if module == "ops":
        from ops.cli import main

        main()
    else:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
