"""Releases with other rules, verification and the loss of the database, as docs/operations.md goes through them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pydantic import SecretStr

from schemas.people import AmendedClient, AmendedPerson
from schemas.portal import ClientAdded, MemberRecorded
from tests.support.eventually import eventually
from tests.support.operating import Office
from tests.support.processes import running
from tests.support.replaying.place import process_of
from tests.support.stack import execute, with_database
from tests.support.walking.scenarios import ALL, TENANT, is_well
from tests.support.walking.walk import Walk, scenario

OAK = ClientAdded(client_id="oak", added_by="Anna Lindqvist", personal=AmendedClient(name="Oak Ltd"))
MAYA = MemberRecorded(
    member_id="maya",
    client_id="oak",
    co_owner=True,
    recorded_by="Anna Lindqvist",
    personal=AmendedPerson(name="Maya Lind", email="maya@oak.example"),
)
ELM = ClientAdded(client_id="elm", added_by="Anna Lindqvist", personal=AmendedClient(name="Elm Ltd"))
EARLIER_RULES = "0"
FAILED_ROW = """
UPDATE notifier.progress SET status = 'failed', shown = jsonb_set(shown::jsonb, '{status}', '"failed"')::json
"""


async def recorded(office: Office) -> None:
    """A client and a member of it, as far as the rules allow."""
    await office.publish(OAK, TENANT, "90fe6c12")
    await office.publish(MAYA, TENANT, "c41d07aa")
    await office.came_to("c41d07aa")


async def folded_by_earlier_rules(office: Office) -> None:
    """The live tables count as those of a release that had other rules."""
    await office.fetch("UPDATE resolver.generations SET rules = $1", int(EARLIER_RULES))


@scenario("wrong-rule")
async def wrong_rule(walk: Walk) -> None:
    """A release takes every e-mail for none; the mended one stands by beside it, and is let in."""
    office = walk.office
    await folded_by_earlier_rules(office)
    wrong = process_of(f"{EARLIER_RULES},refuses_members", "resolver", office.settings, office.folder)
    async with office.running("importer", "notifier"), running(wrong):
        await recorded(office)
        async with office.running("resolver"):
            for _ in ("stands by", "looked at", "swapped"):
                await walk.next()
            await office.came_to("c41d07aa", 2)
            await wrong.stop()
            await walk.next()
            await office.publish(ELM, TENANT, "added-since")
            await office.came_to("added-since")
            await walk.next()


@scenario("same-rules")
async def same_rules(walk: Walk) -> None:
    """A release has other rules, which come to the same for all there ever was."""
    office = walk.office
    async with office.running("resolver"):
        await recorded(office)
    await folded_by_earlier_rules(office)
    await walk.next()


@scenario("nightly")
async def nightly(walk: Walk) -> None:
    """Nothing is wrong, and somebody looks whether that is so, and how it was."""
    office = walk.office
    async with office.running("resolver"):
        await recorded(office)
        for _ in ("verified", "full", "as it was", "where things stand"):
            await walk.next()


@scenario("wrong-progress")
async def wrong_progress(walk: Walk) -> None:
    """A row of integration progress has failed that has not."""
    office = walk.office
    async with office.running("resolver", "notifier"):
        await office.publish(OAK.model_copy(update={"xpm_client_id": "xpm-oak"}), TENANT, "90fe6c12")
        await office.came_to("90fe6c12")
        await eventually(lambda: shows_completed(office))
        await office.fetch(FAILED_ROW)
        await walk.next()


async def shows_completed(office: Office) -> bool:
    return bool(await office.fetch("SELECT FROM notifier.progress WHERE status = 'completed'"))


@scenario("lost-database")
async def lost_database(walk: Walk) -> None:
    """Postgres and all it had are gone; there is an empty one."""
    office = walk.office
    async with office.running(*ALL):
        await recorded(office)
    async with empty_database(office) as dsn:
        walk.office = Office(office.settings.model_copy(update={"postgres_dsn": dsn}), office.folder)
        await walk.next()
        async with walk.office.running(*ALL):
            await eventually(lambda: is_well(walk.office), timeout=60)
            await walk.next()


@asynccontextmanager
async def empty_database(office: Office) -> AsyncIterator[SecretStr]:
    """An empty database on the same server."""
    server, name = (
        office.settings.postgres_dsn.get_secret_value(),
        f"empty_{office.settings.topic_prefix[5:-1]}",
    )
    await execute(server, f"CREATE DATABASE {name}")
    try:
        yield SecretStr(with_database(server, name))
    finally:
        await execute(server, f"DROP DATABASE {name} WITH (FORCE)")
