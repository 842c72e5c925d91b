"""Groups moved back, of our services and of a subscriber, on a real broker."""

from collections import Counter

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer

from ops import rewind
from ops.audit import unfinished
from ops.broker import asking
from ops.ending import Exit
from ops.groups import RESOLVER, tables_of
from schemas.imports import ImportFailed, ImportRequested
from schemas.people import AmendedClient
from schemas.portal import ClientAdded
from schemas.topics import JOURNAL, OUTCOMES, PROGRESS, REQUESTS
from tests.support.eventually import eventually
from tests.support.logs import read_back
from tests.support.operating import Office

TENANTS = [f"practice-{number}" for number in range(4)]
ALL = ("importer", "resolver", "notifier")


async def told(office: Office, topic) -> Counter[bytes]:
    """Every record of the topic, and how often it is there."""
    [records] = await read_back(office.settings, topic)
    return Counter(each.value for each in records)


async def grown(office: Office, topic, number: int) -> Counter[bytes]:
    """The same, as soon as there are so many."""

    async def enough() -> Counter[bytes] | None:
        found = await told(office, topic)
        return found if found.total() >= number else None

    return await eventually(enough, timeout=30)


@pytest.fixture
async def busy_office(office: Office) -> Office:
    """Every service has done something: clients were added, and an import of each has failed."""
    async with office.running(*ALL):
        for number, tenant in enumerate(TENANTS):
            data = ClientAdded(client_id="oak", personal=AmendedClient(name="Oak"))
            await office.publish(data, tenant, f"added-{number}")
            request = ImportRequested(client_id="oak", requested_by="Ada")
            await office.publish(request, tenant, f"import-{number}", topic=REQUESTS)
        await eventually(lambda: all_is_told(office), timeout=30)
    return office


async def all_is_told(office: Office) -> bool:
    """Whether each import has failed, and all that is stored of it is out."""
    [row] = await office.fetch(
        "SELECT (SELECT count(*) FROM notifier.progress WHERE status = 'failed') AS ended,"
        " (SELECT count(*) FROM notifier.snapshots) AS snapshots"
    )
    return row["ended"] == len(TENANTS) and row["snapshots"] == (await told(office, PROGRESS)).total()


async def test_a_rewound_resolver_publishes_its_recorded_outcomes_again(busy_office: Office) -> None:
    """The same bytes once more, and nothing takes effect twice: its tables are what they were."""
    office = busy_office
    first, decided = await told(office, OUTCOMES), await decisions(office)

    shown = await office.muster("rewind", "resolver", "--to", "earliest", "--json")
    assert shown.document["applied"] is False
    done = await office.muster("rewind", "resolver", "--to", "1h", "--apply", "--json")
    async with office.running("resolver"):
        again = await grown(office, OUTCOMES, 2 * first.total())

    assert (shown.code, done.code) == (Exit.DONE, Exit.DONE)
    assert shown.document["again"] == done.document["again"]
    assert done.document["again"]["outcomes"] == first.total()
    assert again == Counter({value: 2 * number for value, number in first.items()})
    assert await decisions(office) == decided


async def test_a_rewound_importer_answers_its_requests_again_from_what_it_stored(busy_office: Office) -> None:
    """The last event of each import comes again, under the same id and with the same content; XPM is not asked."""
    office = busy_office
    journal = await told(office, JOURNAL)

    done = await office.muster("rewind", "importer", "--to", "earliest", "--apply", "--json")
    async with office.running("importer"):
        again = await grown(office, JOURNAL, journal.total() + len(TENANTS))

    assert done.document["again"] == {"offsets": len(TENANTS), "requests": len(TENANTS)}
    doubled = [value for value, number in again.items() if number == 2]
    assert set(again) == set(journal)
    assert len(doubled) == len(TENANTS)
    assert all(ImportFailed.TYPE.encode() in value for value in doubled)


async def test_a_rewound_notifier_publishes_its_snapshots_again(busy_office: Office) -> None:
    """Those of both of its topics at once, unchanged; of one topic only, where that is asked for."""
    office = busy_office
    first = await told(office, PROGRESS)

    only = await office.muster(
        "rewind", "notifier", "--to", "earliest", "--only", "muster.requests", "--json"
    )
    done = await office.muster("rewind", "notifier", "--to", "earliest", "--apply", "--json")
    async with office.running("notifier"):
        again = await grown(office, PROGRESS, 2 * first.total())

    assert {move["topic"] for move in only.document["moves"]} == {"muster.requests"}
    assert {move["topic"] for move in done.document["moves"]} == {"muster.requests", "muster.outcomes"}
    assert done.document["again"]["snapshots"] == first.total()
    assert again == Counter({value: 2 * number for value, number in first.items()})


async def test_nobody_is_rewound_while_running_and_no_service_skips_forward(busy_office: Office) -> None:
    """Kafka is asked who is in the group; what lies ahead of a service can't be passed over."""
    office = busy_office
    await office.publish(
        ClientAdded(client_id="elm", personal=AmendedClient(name="Elm")), TENANTS[0], "ahead"
    )
    async with office.running("resolver"):
        running = await office.muster("rewind", "resolver", "--to", "earliest", "--apply")
        shown = await office.muster("rewind", "resolver", "--to", "earliest")
        await office.came_to("ahead")
    await office.publish(
        ClientAdded(client_id="ash", personal=AmendedClient(name="Ash")), TENANTS[0], "later"
    )
    forward = await office.muster("rewind", "resolver", "--to", "latest", "--apply")
    nowhere = await office.muster("rewind", "resolver", "--to", "noon")
    several = await office.muster("rewind", "resolver", "--to", "3")
    beyond = await office.muster("rewind", "notifier", "--to", "99", "--only", "muster.requests:0")

    astray = await office.muster("rewind", "resolver", "--to", "1h", "--topic", "muster.journal")

    assert (astray.code, "--only names a topic" in astray.err) == (Exit.USAGE, True)
    assert (running.code, "is running: muster-resolver" in running.err) == (Exit.REFUSED, True)
    assert (shown.code, "stop it, then add --apply" in " ".join(shown.out.split())) == (Exit.DONE, True)
    assert (forward.code, "never skips forward" in forward.err) == (Exit.REFUSED, True)
    assert (nowhere.code, "'noon' is no place to go back to" in nowhere.err) == (Exit.USAGE, True)
    assert (several.code, "--only TOPIC:PARTITION" in several.err) == (Exit.USAGE, True)
    assert (beyond.code, "has the offsets 0 to" in beyond.err) == (Exit.REFUSED, True)
    async with office.running("resolver"):
        assert await office.came_to("later") == [("applied", None)]


async def test_a_group_that_went_on_meanwhile_is_left_alone(busy_office: Office) -> None:
    """What was looked at and what is changed are the same, or nothing is changed."""
    office = busy_office
    settings = office.settings
    async with asking(settings) as broker, tables_of(settings, RESOLVER) as database:
        plan = await rewind.plan_for_service(settings, broker, database, RESOLVER, rewind.Earliest(), None)
        data = ClientAdded(client_id="elm", personal=AmendedClient(name="Elm"))
        for tenant in TENANTS:
            await office.publish(data, tenant, "more")
        async with office.running("resolver"):
            await office.came_to("more", len(TENANTS))
            with pytest.raises(rewind.Refused, match="is running"):
                await rewind.rewind_service(broker, database, RESOLVER, settings.group_name("resolver"), plan)
        with pytest.raises(rewind.Refused, match="has gone on since"):
            await rewind.rewind_service(broker, database, RESOLVER, settings.group_name("resolver"), plan)


async def test_a_rewind_that_was_killed_is_noted_by_the_next(busy_office: Office) -> None:
    """In the middle of its one transaction: nothing was moved, the doctor says so, and it can be run again."""
    office = busy_office
    holder = await asyncpg.connect(office.settings.postgres_dsn.get_secret_value())
    async with holder.transaction():  # so that it is in the middle of it for as long as we like
        await holder.execute("SELECT FROM resolver_g1.positions FOR UPDATE")
        assert await office.killed(
            "rewind", "resolver", "--to", "earliest", "--apply", when=lambda: unfinished(office.settings)
        )
        await eventually(lambda: is_killed(office))
        before = await office.muster("doctor")
    await holder.close()
    shown = await office.muster("rewind", "resolver", "--to", "earliest", "--json")
    after = await office.muster("doctor")

    assert "1 change was killed: rewind of" in before.out
    assert shown.document["again"]["offsets"] == (await told(office, JOURNAL)).total()
    assert "every change that was begun has ended" in after.out


async def is_killed(office: Office) -> bool:
    [found] = await unfinished(office.settings)
    return not found.at_work


async def test_a_subscriber_s_own_group_is_moved_in_kafka(busy_office: Office) -> None:
    """To any place of all its topics, back or forward; not while somebody is in the group."""
    office = busy_office
    group, name = f"{office.settings.topic_prefix}portal", office.settings.topic_name(OUTCOMES)

    def subscriber() -> AIOKafkaConsumer:
        return AIOKafkaConsumer(
            name,
            bootstrap_servers=office.settings.kafka,
            group_id=group,
            auto_offset_reset="earliest",
            enable_auto_commit=False,
        )

    async def reads(number: int) -> int:
        async with subscriber() as consumer:
            found = [await consumer.getone() for _ in range(number)]
            await consumer.commit()
            running = await office.muster("rewind", group, "--to", "earliest", "--apply")
            assert (running.code, "its session timeout" in running.err) == (Exit.REFUSED, True)
            return len({each.value for each in found})

    unknown = await office.muster("rewind", group, "--to", "earliest")
    everything = (await told(office, OUTCOMES)).total()
    assert await reads(everything) == everything
    shown = await office.muster("rewind", group, "--to", "1h")
    back = await office.muster("rewind", group, "--to", "earliest", "--apply", "--json")
    assert await reads(everything) == everything
    await office.muster("rewind", group, "--to", "earliest", "--apply")
    forward = await office.muster("rewind", group, "--to", "latest", "--apply", "--json")
    fresh = await office.muster(
        "rewind", f"{group}-2", "--to", "latest", "--topic", name, "--apply", "--json"
    )

    begun = await office.muster(
        "rewind", f"{group}-3", "--to", "earliest", "--topic", name, "--apply", "--json"
    )
    audited = await office.muster("audit", "--json")
    once_more = await office.muster("rewind", f"{group}-3", "--to", "earliest", "--apply")

    assert (begun.document["applied"], begun.document["again"]["offsets"]) == (True, 0)
    assert "Nothing to do" in once_more.out
    assert (await office.muster("audit", "--json")).document == audited.document
    assert (unknown.code, "Kafka knows no positions" in unknown.err) == (Exit.REFUSED, True)
    assert f"{everything} offsets again: {everything} records." in " ".join(shown.out.split())
    assert back.document["again"]["offsets"] == everything
    assert (forward.document["skipped"], forward.document["again"]["offsets"]) == (everything, 0)
    assert fresh.document["skipped"] == everything
    async with subscriber() as consumer:
        assert await consumer.getmany(timeout_ms=500) == {}


async def decisions(office: Office) -> list:
    return await office.fetch('SELECT * FROM resolver_g1.decisions ORDER BY partition, "offset", ordinal')
