"""What can happen to a system, as docs/operations.md goes through it."""

from ops.ending import Exit
from sandbox import harbour
from schemas.imports import ImportRequested
from schemas.people import AmendedClient
from schemas.portal import ClientAdded
from schemas.topics import JOURNAL, REQUESTS
from services.importer.settings import Connection
from services.resolver.domain import fold
from stack.broker import Broker
from stack.kafka import EmbeddedKafka
from stack.settings import StackSettings
from tests.support.eventually import eventually
from tests.support.operating import Office
from tests.support.processes import running_sandbox
from tests.support.stack import execute, with_database
from tests.support.walking.walk import Walk, scenario
from worker import topics

TENANT = "harbour-and-hill"
ALL = ("importer", "resolver", "notifier")


def client(name: str) -> ClientAdded:
    return ClientAdded(client_id=name, added_by="Anna Lindqvist", personal=AmendedClient(name=name.title()))


async def is_well(office: Office) -> bool:
    """Whether the doctor finds nothing."""
    return (await office.muster("doctor")).code == Exit.DONE


async def short_ids(office: Office) -> dict[str, str]:
    """The short id of the open letter of each reason."""
    listed = await office.muster("dead-letters", "list", "--json")
    return {each["why"]: each["id"][:8] for each in listed.document["letters"]}


@scenario("first-start")
async def first_start(walk: Walk) -> None:
    """An empty database, and a cluster without topics."""
    office = walk.office
    server, name = (
        office.settings.postgres_dsn.get_secret_value(),
        f"empty_{office.settings.topic_prefix[5:-1]}",
    )
    await execute(server, f"CREATE DATABASE {name}")
    dsn = type(office.settings.postgres_dsn)(with_database(server, name))
    changed = {"postgres_dsn": dsn, "topic_prefix": f"first-{office.settings.topic_prefix}"}
    walk.office = Office(office.settings.model_copy(update=changed), office.folder)
    try:
        await walk.next()
    finally:
        await execute(server, f"DROP DATABASE {name} WITH (FORCE)")


@scenario("healthy")
async def healthy(walk: Walk) -> None:
    """Everything is at work and nothing waits."""
    async with walk.office.running(*ALL):
        await walk.office.publish(client("oak"), TENANT, "90fe6c12")
        await walk.office.came_to("90fe6c12")
        await eventually(lambda: is_well(walk.office), timeout=30)
        await walk.next()
        await walk.next()


async def notifier_has_all(office: Office) -> bool:
    looked = await office.muster("lag", "--json")
    return all(not each["records"] for each in looked.document["groups"])


@scenario("stuck-consumer")
async def stuck_consumer(walk: Walk) -> None:
    """The resolver is not in its group, and work piles up."""
    office = walk.office
    async with office.running("importer", "notifier"):
        async with office.running("resolver"):
            await eventually(lambda: is_well(office), timeout=30)
        for number in range(3):
            await office.publish(client("oak"), TENANT, f"added-{number}")
        await walk.next()
        async with office.running("resolver"):
            await office.came_to("added-2")
            await walk.next()


@scenario("poison")
async def poison(walk: Walk) -> None:
    """A record that can't be read, one that a rule breaks on, and one that was misrouted."""
    office = walk.office
    rule, fold.RULES[ClientAdded] = fold.RULES[ClientAdded], _broken
    try:
        async with office.running("resolver"):
            await office.publish(client("oak"), TENANT, "broken")
            await office.letters(JOURNAL, 1)
    finally:
        fold.RULES[ClientAdded] = rule
    async with office.running("resolver"):
        await office.publish(b'{"specversion": "1.0", "id"', TENANT)
        await office.publish(client("elm"), TENANT, "72d9a0b4", astray=True)
        await office.letters(JOURNAL, 3)
        ids = await short_ids(office)
        walk.stands_for("1f0c22d7", ids["misrouted"])
        walk.stands_for("8be41a90", ids["not_json"])
        await walk.next()
        await walk.next()
        await office.came_to("72d9a0b4")
        await walk.next()
        await walk.next()


def _broken(*_: object) -> None:
    raise ValueError


@scenario("rewind")
async def rewound(walk: Walk) -> None:
    """A subscriber has lost what it had read of the outcomes."""
    office = walk.office
    async with office.running("resolver"):
        for number in range(3):
            await office.publish(client("oak"), TENANT, f"added-{number}")
        await office.came_to("added-2")
        await walk.next()
    await walk.next()
    async with office.running("resolver"):
        await office.came_to("added-0", 2)
        await walk.next()


@scenario("lost-broker")
async def lost_broker(walk: Walk) -> None:
    """Kafka is killed, and comes back with its data."""
    settings = StackSettings.from_environment()
    kafka = EmbeddedKafka(
        walk.office.folder / "kafka", Broker(settings.programs, lambda _: None, settings.maven)
    )
    await kafka.start()
    try:
        walk.office = Office(
            walk.office.settings.model_copy(update={"kafka": kafka.address}), walk.office.folder
        )
        office = walk.office
        await topics.create(office.settings)
        async with office.running(*ALL):
            await office.publish(client("oak"), TENANT, "before")
            await office.came_to("before")
            await kafka.kill()
            await walk.next()
            await kafka.start()
            await office.publish(client("oak"), TENANT, "after")
            await office.came_to("after")
            await eventually(lambda: notifier_has_all(office), timeout=60)
            await walk.next()
    finally:
        await kafka.stop()


@scenario("xpm-down")
async def xpm_down(walk: Walk) -> None:
    """Nothing listens where XPM should; then it does."""
    office = walk.office
    connection = Connection(xpm_tenant_id=harbour.TENANT_ID, access_token=harbour.TOKEN)
    port = int(office.settings.xpm_url.rpartition(":")[2])
    walk.office = Office(
        office.settings.model_copy(update={"xpm_connections": {TENANT: connection}}), office.folder
    )
    office = walk.office
    async with office.running(*ALL):
        added = client("northlight").model_copy(update={"xpm_client_id": harbour.NORTHLIGHT})
        await office.publish(added, TENANT, "added")
        await office.came_to("added")
        request = ImportRequested(
            client_id="northlight", xpm_client_id=harbour.NORTHLIGHT, requested_by="Anna Lindqvist"
        )
        await office.publish(request, TENANT, "5d721c61", topic=REQUESTS)
        await eventually(lambda: waits_for_xpm(office), timeout=30)
        await walk.next()
        async with running_sandbox(office.folder, {}, port=port):
            await eventually(lambda: import_is(office, "ready_for_review"), timeout=60)
            await walk.next()


async def waits_for_xpm(office: Office) -> bool:
    rows = await office.fetch("SELECT waiting_until IS NOT NULL AS waits FROM resolver_g1.imports")
    return bool(rows and rows[0]["waits"])


async def import_is(office: Office, status: str) -> bool:
    rows = await office.fetch("SELECT status FROM resolver_g1.imports")
    return bool(rows and rows[0]["status"] == status)
