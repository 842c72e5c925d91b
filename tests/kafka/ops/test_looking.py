"""`muster lag`, `journal` and `doctor` on real services."""

import json
from pathlib import Path

import asyncpg
from pydantic import SecretStr

from ops.ending import Exit
from schemas.decisions import ItemImported, SeenItem
from schemas.ids import derived_id
from schemas.imports import ImportRequested, ImportStaged, ImportStarted, ItemStaged, LeftOut, Relationship
from schemas.people import AmendedClient, PersonDetails
from schemas.portal import ClientAdded
from schemas.topics import JOURNAL, REQUESTS
from services.importer.settings import Connection
from tests.support import stack
from tests.support.eventually import eventually
from tests.support.operating import Office, Said

TENANT = "practice"
CLIENT = ClientAdded(
    client_id="oak", xpm_client_id="x1", added_by="Ada", personal=AmendedClient(name="Oak Pty")
)
WHOSE = {"import_id": "imp", "client_id": "oak", "requested_at": "2026-01-01T00:00:00.000Z"}
STAGED = ItemStaged(
    **WHOSE,
    item_id="item-1",
    xpm_client_id="x1",
    xpm_party_id="p1",
    relationship=Relationship(type="Director"),
    personal=PersonDetails(name="Ann Secret"),
)


async def test_lag_tells_records_and_seconds_of_services_and_subscribers(office: Office) -> None:
    """Of each group and partition; what nobody has read yet waits since it came."""
    for number in range(5):
        await office.publish(CLIENT, TENANT, f"e{number}")
    before = await office.muster("lag", "--json")
    late = await office.muster("lag", "resolver", "--at-most", "0s")
    shown = await office.muster("lag", columns=80)
    async with office.running("resolver"):
        await office.came_to("e4")
        running = await office.muster("lag", "resolver", "--json", "--at-most", "1h")
    nonsense = await office.muster("lag", "nobody")

    groups = {each["group"]: each for each in before.document["groups"]}
    assert set(groups) == {"importer", "resolver", "notifier"}
    assert (groups["resolver"]["records"], groups["resolver"]["members"]) == (5, 0)
    assert 0 < groups["resolver"]["seconds"] < 60
    [behind] = [each for each in groups["resolver"]["partitions"] if each["records"]]
    assert (behind["topic"], behind["at"], behind["end"]) == ("muster.journal", 0, 5)
    assert len(groups["resolver"]["partitions"]) == office.settings.journal_partitions
    assert groups["importer"]["records"] == 0
    assert late.code == Exit.ATTENTION
    assert "none" in shown.out
    assert max(map(len, shown.out.splitlines())) <= 80
    [resolver] = running.document["groups"]
    assert (running.code, resolver["records"], resolver["members"]) == (Exit.DONE, 0, 1)
    assert (nonsense.code, "No group nobody has read any topic of ours" in nonsense.err) == (Exit.USAGE, True)


async def test_the_journal_tells_who_decided_what_and_what_followed(office: Office) -> None:
    """By the id of a tenant, client, item, import or command, with the place of each record; nobody's name unasked."""
    async with office.running("importer", "resolver"):
        await office.publish(CLIENT, TENANT, "added")
        await office.publish(
            ImportStarted(**WHOSE, xpm_client_id="x1", requested_by="Ada"), TENANT, "started"
        )
        await office.publish(STAGED, TENANT, "staged")
        listed = ImportStaged(**WHOSE, xpm_client_id="x1", item_ids=["item-1"], left_out=LeftOut(ended=2))
        await office.publish(listed, TENANT, "listed")
        await office.came_to("listed")
        [digest] = await office.fetch("SELECT digest FROM resolver_g1.items")
        decision = ItemImported(item_id="item-1", decided_by="Ada", seen=SeenItem(item=digest["digest"]))
        await office.publish(decision, TENANT, "decided")
        await office.publish(decision, TENANT, "decided-again")
        await office.publish(
            ImportRequested(client_id="elm", requested_by="Bo"), TENANT, "asked", topic=REQUESTS
        )
        await office.came_to("decided-again")
        await office.came_to(derived_id(TENANT, "import", "asked", "ended"))

    member_id = derived_id(TENANT, "member", "decided")
    told = ((TENANT, 8), ("oak", 6), ("imp", 5), ("item-1", 3), (member_id, 3), ("decided", 1))
    for one, number in told:
        story = await office.muster("journal", one, "--json")
        assert (story.code, len(story.document["entries"])) == (Exit.DONE, number), one
    shown = await office.muster("journal", "item-1", columns=200)
    item = await office.muster("journal", "item-1", "--json")
    named = await office.muster("journal", "item-1", "--tenant", TENANT, "--personal")
    asked = await office.muster("journal", "asked", "--json")
    short = await office.muster("journal", TENANT, "--limit", "2")
    nobody = await office.muster("journal", "nobody")
    elsewhere = await office.muster("journal", "item-1", "--tenant", "another")

    assert "Ada imported item item-1: applied" in shown.out
    assert "import imp is completed: 1 staged, 1 imported, 2 left out" in shown.out
    assert "rejected: already_decided. Somebody has dealt with this item before." in shown.out
    assert "before: imported by Ada" in shown.out
    assert "muster.item.imported.v1, id decided, from /tests" in shown.out
    staged, decided, refused = item.document["entries"]
    assert [each["result"] for each in (staged, decided, refused)] == ["applied", "applied", "rejected"]
    assert (decided["partition"], decided["offset"]) == (staged["partition"], staged["offset"] + 2)
    assert "Ann Secret" not in shown.out + item.out
    assert "Ann Secret" in named.out
    assert asked.document["request"]["status"] == "ended"
    assert asked.document["request"]["offset"] == 0
    assert [each["event"]["causationid"] for each in asked.document["entries"]] == ["asked", "asked"]
    assert "6 earlier records" in short.out
    assert (nobody.code, elsewhere.code) == (Exit.REFUSED, Exit.REFUSED)


async def test_an_id_that_two_tenants_have_is_asked_for(office: Office) -> None:
    """The story is one tenant's, never both's."""
    async with office.running("resolver"):
        for tenant in ("one", "two"):
            await office.publish(CLIENT, tenant, f"added-{tenant}")
            await office.came_to(f"added-{tenant}")
    several = await office.muster("journal", "oak")
    one = await office.muster("journal", "oak", "--tenant", "one", "--json")

    assert (several.code, "Several tenants know oak: one, two" in several.err) == (Exit.USAGE, True)
    assert [each["event"]["tenantid"] for each in one.document["entries"]] == ["one"]


async def test_the_doctor_finds_nothing_where_all_is_well(office: Office) -> None:
    """Every check is made, and the exit code is 0."""
    connections = {TENANT: Connection(xpm_tenant_id="x", access_token=SecretStr("a"))}
    connected = Office(office.settings.model_copy(update={"xpm_connections": connections}), office.folder)
    async with connected.running("importer", "resolver", "notifier"):
        await office.publish(CLIENT, TENANT, "added")
        await office.came_to("added")

        async def well() -> Said | None:
            said = await office.muster("doctor")
            return said if said.code == Exit.DONE else None

        said = await eventually(well, timeout=30)

    assert "All is well." in said.out


async def test_the_doctor_says_what_is_wrong_and_what_to_do(office: Office) -> None:
    """Nobody at work, a backlog, a letter, no practice, a command that was killed: each with its advice."""
    await office.publish(CLIENT, TENANT, "astray", astray=True)
    async with office.running("resolver"):
        await office.letters(JOURNAL, 1)
    await office.publish(CLIENT, TENANT, "waits")
    database = await asyncpg.connect(office.settings.postgres_dsn.get_secret_value())
    await database.execute(
        "INSERT INTO ops.audit (run, what, who, release, verb, arguments) "
        "VALUES (gen_random_uuid(), 'begun', 'ada', '1', 'rewind', '{}')"
    )
    await database.execute("UPDATE importer.positions SET cluster_id = 'another'")
    await database.execute("UPDATE resolver_g1.positions SET published_to = 0")
    await database.execute(
        "INSERT INTO importer.connections (tenant_id, state, connection_id, xpm_tenant_id, practice_name, "
        "tokens, refresh_at) VALUES ('quiet', 'connected', 'c', 'x', 'Quiet', 'sealed', now() - interval '50 days')"
    )
    await database.execute("INSERT INTO notifier.mended (tenant_id, event) VALUES ('one', '{}')")
    await office.muster("replay", "--until", "1d", "--keep")
    await database.close()
    said = await office.muster("doctor", "--json")
    shown = await office.muster("doctor", columns=80)

    found = {each["check"]: each for each in said.document["findings"] if each["level"] != "ok"}
    assert said.code == shown.code == Exit.ATTENTION
    assert set(found) == {
        "importer",
        "resolver",
        "notifier",
        "dead letters",
        "connections",
        "operators",
        "replays",
    }
    replays = [each["said"] for each in said.document["findings"] if each["check"] == "replays"]
    assert replays[0] == "1 mended row of progress not told yet"
    assert "made to look at" in replays[1]
    assert "1 not used for 45 days" in found["connections"]["said"]
    assert "nobody is in the group, 1 record behind" in found["resolver"]["said"]
    assert "what 1 record came to is not known to be out" in found["resolver"]["said"]
    assert found["dead letters"]["said"] == "1 open: 1 misrouted"
    assert all(each["advice"] for each in found.values())
    assert max(map(len, shown.out.splitlines())) <= 80


async def test_a_resolver_does_not_fill_the_tables_of_a_lost_database_by_itself(
    office: Office, postgres_dsn: str, stack_folder: Path
) -> None:
    """It stands by, publishes nothing again, and the doctor says what to type; after that it joins by itself."""
    await office.publish(CLIENT, TENANT, "added")
    async with office.running("resolver"):
        await office.came_to("added")
    template = await stack.migrated_template(postgres_dsn, stack_folder)
    async with stack.fresh_database(postgres_dsn, template) as dsn:
        lost = Office(office.settings.model_copy(update={"postgres_dsn": SecretStr(dsn)}), office.folder)
        async with lost.running("resolver"):
            said = await lost.muster("doctor", "--json")
            published = len(await office.outcomes())
            back = await lost.muster("replay", "--swap", "--json")
            told = await office.came_to("added", 2)
        healthy = await lost.muster("doctor", "--json")

    (tables,) = [each for each in said.document["findings"] if each["check"] == "tables"]
    assert (tables["level"], "`muster replay --swap`" in tables["advice"]) == ("bad", True)
    assert published == 1
    assert (back.code, back.document["restored"]) == (Exit.DONE, True), back.err
    assert told == [("applied", None)] * 2
    assert not [each for each in healthy.document["findings"] if each["check"] == "tables"]


async def test_the_doctor_finds_positions_of_another_log(office: Office) -> None:
    """Of another cluster, or where the log never came to: a service would stop there and say so."""
    await office.publish(CLIENT, TENANT, "added")
    async with office.running("resolver"):
        await office.came_to("added")
    database = await asyncpg.connect(office.settings.postgres_dsn.get_secret_value())
    await database.execute("UPDATE resolver_g1.positions SET applied_to = 99, published_to = 99")
    beyond = await office.muster("doctor", "--json")
    await database.execute("UPDATE resolver_g1.positions SET cluster_id = 'another'")
    foreign = await office.muster("doctor", "--json")
    await database.close()

    for said, words in ((beyond, "ends at offset"), (foreign, "belong to cluster another")):
        found = [each for each in said.document["findings"] if each["check"] == "positions"]
        assert {each["level"] for each in found} == {"bad"}
        assert all(words in each["said"] for each in found)


async def test_the_doctor_goes_on_without_kafka_and_without_postgres(
    office: Office, empty_database: str
) -> None:
    """What can't be checked is said, and what can be is checked."""
    deaf = Office(office.settings.model_copy(update={"kafka": "127.0.0.1:1"}), office.folder)
    deaf.settings.model_fields_set.add("kafka")
    nowhere = SecretStr("postgresql://127.0.0.1:1/nothing")
    lost = Office(office.settings.model_copy(update={"postgres_dsn": nowhere}), office.folder)
    empty = Office(
        office.settings.model_copy(update={"postgres_dsn": SecretStr(empty_database)}), office.folder
    )
    said = [await each.muster("doctor", "--json") for each in (deaf, lost, empty)]

    without_kafka, without_postgres, unmigrated = (
        {each["check"]: each for each in one.document["findings"]} for one in said
    )
    assert [one.code for one in said] == [Exit.ATTENTION] * 3
    assert without_kafka["kafka"]["level"] == "bad"
    assert (without_kafka["migrations"]["level"], without_kafka["services"]["level"]) == ("ok", "look")
    assert without_postgres["postgres"]["level"] == "bad"
    assert without_postgres["postgres"]["said"] == "Postgres does not answer at 127.0.0.1:1/nothing"
    assert (without_postgres["topics"]["level"], without_postgres["positions"]["level"]) == ("ok", "look")
    assert unmigrated["migrations"]["advice"] == "Run `muster migrate`."


async def test_lag_is_watched_until_it_is_interrupted(office: Office) -> None:
    """A line of JSON for each look; Ctrl-C is how one ends it, and no failure."""
    said = await office.interrupted("lag", "--watch", "--every", "0.2", "--json", after=2)

    looks = [json.loads(line) for line in said.out.splitlines()]
    assert (said.code, said.err) == (Exit.DONE, "")
    assert len(looks) > 1
    assert all(len(each["groups"]) == 3 for each in looks)
