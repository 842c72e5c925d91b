"""The story played through a system that is up, and told on the terminal."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
from rich.console import Console

from ops.demo.connecting import Importer, connect
from ops.demo.expected import EXPECTED, summary
from ops.demo.following import Tell, follow_progress
from ops.demo.narration import TerminalNarrator
from ops.demo.portal import PATIENCE_SECONDS, NoAnswer, Portal, open_portal
from ops.demo.story import CLIENT, STAFF, TRUST, Story
from ops.demo.trust import certificates
from schemas.progress import IntegrationProgressed
from worker.settings import Settings
from worker.tokens import Tokens

CLIENT_IS_THERE = "SELECT 1 FROM resolver.clients WHERE client_id = $1"


class PlayedBefore(Exception):
    """The story begins with an empty portal, and this tenant's is not."""


@dataclass(frozen=True, slots=True)
class Stage:
    """The system that it is played through, and as which tenant."""

    settings: Settings
    tenant_id: str
    sandbox: str
    importer: Importer
    notifier: str


async def play(stage: Stage, console: Console) -> bool:
    """Play it; whether it ended as expected. Raises `PlayedBefore`, `NotConnected`, `NoAnswer`."""
    narrator = TerminalNarrator(console)
    completed = asyncio.Event()

    def tell(row: IntegrationProgressed) -> None:
        narrator.progress(row)
        if (row.kind, row.status) == ("import", "completed"):
            completed.set()

    async with _opened(stage, tell) as (portal, xpm):
        await _check_that_it_is_empty(portal)
        await _connect(stage, narrator)
        members = await Story(portal, xpm, narrator).play()
        await _in_time(completed)
    narrator.members(members)
    found = summary(members)
    if found == EXPECTED:
        console.print("\n[green]All people have been dealt with, and everything came out as expected.[/]")
        return True
    console.print(f"\n[red]This is not how it should have ended.[/]\nExpected: {EXPECTED}\nFound:    {found}")
    return False


async def leave_a_review(stage: Stage, console: Console) -> None:
    """Bring another client's people as far as somebody has to decide, for whoever opens the console."""
    narrator = TerminalNarrator(console)
    waits = asyncio.Event()

    def tell(row: IntegrationProgressed) -> None:
        narrator.progress(row)
        if row.client_id == TRUST and row.to_review:
            waits.set()

    async with _opened(stage, tell) as (portal, xpm):
        await Story(portal, xpm, narrator).leave_a_review()
        await _in_time(waits)


async def _connect(stage: Stage, narrator: TerminalNarrator) -> None:
    narrator.chapter("Connect the practice to Xero Practice Manager")
    narrator.step(await connect(stage.importer, stage.sandbox, stage.tenant_id, STAFF))


@asynccontextmanager
async def _opened(stage: Stage, tell: Tell) -> AsyncIterator[tuple[Portal, httpx.AsyncClient]]:
    """The portal, and the sandbox's own API, with progress being followed."""
    async with (
        open_portal(stage.settings, stage.tenant_id) as portal,
        httpx.AsyncClient(base_url=stage.sandbox, verify=certificates()) as xpm,
        _following(stage.notifier, stage.tenant_id, Tokens.of(stage.settings), tell),
    ):
        yield portal, xpm


async def _check_that_it_is_empty(portal: Portal) -> None:
    if await portal.read(CLIENT_IS_THERE, CLIENT):
        raise PlayedBefore(
            f"The journey begins with an empty portal, and {portal.tenant_id} has made it before."
        )


async def _in_time(completed: asyncio.Event) -> None:
    try:
        await asyncio.wait_for(completed.wait(), PATIENCE_SECONDS)
    except TimeoutError:
        raise NoAnswer("the notifier did not tell how the import stands") from None


@asynccontextmanager
async def _following(notifier: str, tenant_id: str, tokens: Tokens, tell: Tell) -> AsyncIterator[None]:
    following = asyncio.create_task(follow_progress(notifier, tenant_id, tokens, tell))
    try:
        yield
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
