"""Dead letters of real services, looked at, redriven and discarded."""

import json
from base64 import b64decode

import pytest

from ops.audit import QUERIES
from ops.deadletters import changing, redriving, standing
from ops.ending import Exit
from schemas.people import AmendedClient, AmendedPerson
from schemas.portal import ClientAdded, MemberRecorded
from schemas.topics import JOURNAL
from services.resolver.domain import fold
from tests.support.eventually import eventually
from tests.support.logs import read_back
from tests.support.operating import Office, event
from worker import redrive
from worker.deadletters import PREFIX
from worker.publisher import Letter, Publisher

TENANT = "practice"
CLIENT = ClientAdded(client_id="oak", personal=AmendedClient(name="Oak Pty Ltd"))


def member(name: str) -> MemberRecorded:
    return MemberRecorded(member_id="ann", client_id="oak", personal=AmendedPerson(name=name))


async def test_a_misrouted_record_takes_effect_when_it_is_redriven(office: Office) -> None:
    """Its key, bytes and id stay, the reasons go, the group is named; and the letter is done with."""
    value = event(CLIENT, TENANT, "added")
    await office.publish(CLIENT, TENANT, "added", astray=True)
    async with office.running("resolver"):
        await office.letters(JOURNAL, 1)
        listed = await office.muster("dead-letters", "list", "--json")
        [letter] = listed.document["letters"]
        shown = await office.muster("dead-letters", "redrive", letter["id"][:8])
        assert (await office.muster("dead-letters", "list", "--json")).document["total"] == 1
        done = await office.muster("dead-letters", "redrive", letter["id"][:8], "--apply", "--json")
        assert await office.came_to("added") == [("applied", None)]
        story = await office.muster("dead-letters", "show", letter["id"])

    assert (listed.code, letter["why"], letter["tenant"]) == (Exit.ATTENTION, "misrouted", TENANT)
    assert (shown.code, "1 would be redriven" in shown.out) == (Exit.DONE, True)
    assert (done.code, done.document["redriven"]) == (Exit.DONE, 1)
    assert "came to: applied" in story.out
    assert "Oak Pty Ltd" not in story.out
    [copy] = [each for each in (await read_back(office.settings, JOURNAL))[0] if len(each.headers) > 1]
    assert (copy.key, copy.value) == (TENANT.encode(), value)
    assert list(copy.headers) == [
        ("trace", b"1"),
        (redrive.GROUP, b"resolver"),
        (redrive.LETTER, letter["id"].encode()),
        (redrive.COUNT, b"1"),
    ]
    empty = await office.muster("dead-letters", "list")
    assert (empty.code, empty.out) == (Exit.DONE, "No such dead letters.\n")
    again = await office.muster("dead-letters", "redrive", letter["id"], "--apply")
    assert (again.code, f"{letter['id']} is redriven, not open" in again.err) == (Exit.REFUSED, True)


async def test_an_old_fact_is_not_put_on_top_of_a_newer_one(office: Office) -> None:
    """Redriven it would take the newer one back: it is stale, and goes with force only."""
    async with office.running("resolver"):
        await office.publish(CLIENT, TENANT, "added")
        await office.publish(member("Ann Older"), TENANT, "older", astray=True)
        await office.letters(JOURNAL, 1)
        await office.publish(member("Ann Newer"), TENANT, "newer")
        await office.came_to("newer")

        refused = await office.muster("dead-letters", "redrive", "--all", "--apply", "--json")
        assert [each["name"] for each in await names(office)] == ["Ann Newer"]
        advised = await office.muster("dead-letters", "redrive", "--all")
        going = await office.muster("dead-letters", "redrive", "--all", "--force")
        forced = await office.muster("dead-letters", "redrive", "--all", "--apply", "--force", "--json")
        await office.came_to("older")

    assert refused.document["redriven"] == 0
    assert ("--force" in advised.out, "--force" in going.out) == (True, False)
    [judgement] = refused.document["judgements"]
    assert judgement["verdict"] == "stale"
    assert "muster.member.recorded.v1 of the same was applied since" in judgement["why"]
    assert forced.document["redriven"] == 1
    assert [each["name"] for each in await names(office)] == ["Ann Older"]


async def test_what_would_fail_again_points_to_release_and_replay(office: Office, monkeypatch) -> None:
    """Under the same rules the resolver would break on the copy; by force it is tried, and counted."""

    def broken(*_):
        raise ValueError("private: Ann")

    with monkeypatch.context() as patched:
        patched.setitem(fold.RULES, ClientAdded, broken)
        await office.publish(CLIENT, TENANT, "added")
        async with office.running("resolver"):
            await office.letters(JOURNAL, 1)
            shown = await office.muster("dead-letters", "redrive", "--why", "failed", "--json")
            await office.muster("dead-letters", "redrive", "--why", "failed", "--apply", "--force")
            await office.letters(JOURNAL, 2)
    async with office.running("resolver"):
        open_ones = await office.muster("dead-letters", "list", "--json")
        await office.muster("dead-letters", "redrive", "--all", "--apply", "--force")
        assert ("applied", None) in await office.came_to("added", 3)

    [judgement] = shown.document["judgements"]
    assert (shown.document["would_be_redriven"], judgement["verdict"]) == (0, "again")
    assert "muster replay" in judgement["advice"]
    assert [each["redrives"] for each in open_ones.document["letters"]] == [1]
    [copies] = await read_back(office.settings, JOURNAL)
    assert [dict(each.headers).get(redrive.COUNT) for each in copies] == [None, b"1", b"2"]


async def test_what_can_never_be_read_says_so(office: Office) -> None:
    """Neither a mended reader nor a redrive is in sight: its writer has to publish it again."""
    await office.publish(b'{"name": "John Smith', TENANT)
    await office.publish(event(CLIENT, TENANT, "foreign"), TENANT, key=b"another")
    async with office.running("resolver"):
        await office.letters(JOURNAL, 2)
    judged = await office.muster("dead-letters", "redrive", "--all", "--force", "--json")

    assert judged.document["would_be_redriven"] == 0
    verdicts = {each["why"].partition(",")[0]: each for each in judged.document["judgements"]}
    assert set(verdicts) == {"this release can't read it either: not_json", "its key is not its tenant"}
    assert all("publish it again" in each["advice"] for each in verdicts.values())

    letters = (await office.muster("dead-letters", "list", "--json")).document["letters"]
    [broken] = [each["id"] for each in letters if each["why"] == "not_json"]
    assert "John" not in (await office.muster("dead-letters", "show", broken)).out
    assert '"John S' in (await office.muster("dead-letters", "show", broken, "--personal")).out


async def test_what_took_effect_in_another_way_is_settled(office: Office) -> None:
    """The writer published it again by itself: there is nothing left to do but to discard the letter."""
    async with office.running("resolver"):
        await office.publish(CLIENT, TENANT, "added", astray=True)
        await office.letters(JOURNAL, 1)
        await office.publish(CLIENT, TENANT, "added")
        await office.came_to("added")
        judged = await office.muster("dead-letters", "redrive", "--all", "--json")
    unreasonable = await office.muster("dead-letters", "discard", "--all", "--reason", " ", "--apply")
    everything = await office.muster("dead-letters", "discard", "--reason", "published again")
    shown = await office.muster("dead-letters", "discard", "--all", "--reason", "published again")
    assert (await office.muster("dead-letters", "list", "--json")).document["total"] == 1
    done = await office.muster("dead-letters", "discard", "--all", "--reason", "published again", "--apply")

    [judgement] = judged.document["judgements"]
    assert judgement["verdict"] == "settled"
    assert (unreasonable.code, everything.code) == (Exit.USAGE, Exit.USAGE)
    assert "1 letter would be discarded" in shown.out
    assert "Discarded 1 letter." in done.out
    listed = await office.muster("dead-letters", "list", "--state", "discarded", "--json")
    [letter] = listed.document["letters"]
    assert (listed.code, letter["state"]) == (Exit.DONE, "discarded")
    assert "published again" in (await office.muster("dead-letters", "show", letter["id"])).out
    lines = (await office.muster("audit", "--json")).document["lines"]
    assert [(line["verb"], line["what"], line["who"]) for line in lines] == [
        ("dead-letters discard", "done", "ada@desk"),
        ("dead-letters discard", "begun", "ada@desk"),
    ]


async def test_what_a_record_says_is_shown_and_does_nothing(office: Office) -> None:
    """It may look like markup, or tell the terminal what to do; what no schema knows is hidden."""
    await office.publish(b'{"type": "[/b]\\u001b[31m", "data": {"nickname": "John"}}', "[/red]")
    async with office.running("resolver"):
        await office.letters(JOURNAL, 1)
    listed = await office.muster("dead-letters", "list")
    [letter] = (await office.muster("dead-letters", "list", "--json")).document["letters"]
    shown = await office.muster("dead-letters", "show", letter["id"])

    assert (listed.code, shown.code) == (Exit.ATTENTION, Exit.DONE)
    assert "[/red]" in listed.out
    assert "[/b]" in listed.out
    assert "\x1b" not in listed.out + shown.out
    assert '"nickname": "…"' in shown.out


async def test_letters_are_exported_byte_for_byte(office: Office, tmp_path) -> None:
    """One JSON object a line, for the owner of the file only; a file that is there is left alone."""
    odd = b"\xff\x00 not JSON"
    await office.publish(odd, TENANT)
    async with office.running("resolver"):
        await office.letters(JOURNAL, 1)
    file = tmp_path / "letters.jsonl"

    done = await office.muster("dead-letters", "export", "--to", str(file))
    again = await office.muster("dead-letters", "export", "--to", str(file))

    assert (done.code, again.code) == (Exit.DONE, Exit.USAGE)
    [line] = [json.loads(line) for line in file.read_text().splitlines()]
    assert (b64decode(line["key"]), b64decode(line["value"])) == (TENANT.encode(), odd)
    assert line["headers"] == [["trace", "MQ=="]]
    assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("moment", ["before the copies are sent", "after the copies are sent"])
async def test_a_redrive_that_was_killed_is_settled_by_the_next(office: Office, moment, monkeypatch) -> None:
    """What is out counts as redriven, what is not is open again; and it says so."""
    for number in range(3):
        await office.publish(CLIENT, TENANT, f"added-{number}", astray=True)
    async with office.running("resolver"):
        await office.letters(JOURNAL, 3)

    async def killed(*_, **__):
        raise SystemExit

    with monkeypatch.context() as patched:
        patched.setattr(redriving, "SENT_AT_ONCE", 2)
        if moment.startswith("before"):
            patched.setattr(changing.Publisher, "send", killed)
        else:
            patched.setattr(standing, "redriven", killed)
        await office.muster("dead-letters", "redrive", "--all", "--apply")
    doubtful = await office.muster("dead-letters", "list", "--state", "in-doubt", "--json")
    done = await office.muster("dead-letters", "redrive", "--all", "--apply")

    assert [line["what"] for line in await unended(office)] == []
    out = moment.startswith("after")
    assert doubtful.document["total"] == 2
    said = " ".join(done.err.split())
    assert f"it has redriven {2 * out} letters; of those it had in hand {2 - 2 * out} are not out" in said
    assert f"{3 - 2 * out} redriven." in done.out
    async with office.running("resolver"):
        for number in range(3):
            assert await office.came_to(f"added-{number}") == [("applied", None)]
    [copies] = await read_back(office.settings, JOURNAL)
    assert len(copies) == 6


async def test_a_redrive_of_thousands_is_killed_again_and_again_and_each_takes_effect_once(
    office: Office,
) -> None:
    """Kill -9 at any moment: whoever runs it again comes to the end, and no letter is left or redriven for nothing."""
    number = 3000
    await keep_letters(office, number)
    for killed_at in (1, 700, 1900):
        assert await office.killed(
            "dead-letters", "redrive", "--all", "--apply", when=lambda at=killed_at: begun(office, at)
        )
    done = await office.muster("dead-letters", "redrive", "--all", "--apply", "--json")
    left = await office.muster("dead-letters", "list", "--json")
    async with office.running("resolver"):
        await eventually(lambda: decided(office, number), timeout=60)

    assert done.code == Exit.DONE
    assert left.document["total"] == 0
    [copies] = await read_back(office.settings, JOURNAL)
    assert len({each.value for each in copies}) == number
    assert len(copies) == number
    assert [dict(row) for row in await office.fetch(QUERIES.unfinished, None)] == []


async def keep_letters(office: Office, number: int) -> None:
    """Letters as the resolver keeps them, of records that were misrouted."""
    publisher = Publisher(office.settings, "tests")
    for start in range(0, number, 500):
        said = {"group": "resolver", "why": "misrouted", "topic": JOURNAL.name, "partition": "0"}
        await publisher.send(
            [
                Letter(
                    JOURNAL.dead_letters,
                    TENANT.encode(),
                    event(CLIENT, TENANT, f"e{each}"),
                    [
                        (PREFIX + name, text.encode())
                        for name, text in {
                            **said,
                            "id": f"{each:04}-letter",
                            "offset": str(10**6 + each),
                        }.items()
                    ],
                )
                for each in range(start, start + 500)
            ]
        )
    await publisher.close()


async def begun(office: Office, number: int) -> bool:
    """Whether a run has begun with so many letters."""
    [row] = await office.fetch("SELECT count(*) AS number FROM ops.dead_letters")
    return row["number"] >= number


async def decided(office: Office, number: int) -> bool:
    [row] = await office.fetch(
        "SELECT count(*) AS number FROM resolver_g1.decisions WHERE claims_id AND result = 'applied'"
    )
    return row["number"] == number


async def test_two_operators_do_not_redrive_at_once(office: Office) -> None:
    """The second is told."""
    async with standing.alone(office.settings):
        refused = await office.muster("dead-letters", "redrive", "--all", "--apply")

    assert (refused.code, "Somebody else is changing dead letters now" in refused.err) == (Exit.REFUSED, True)


async def test_an_id_that_is_none_or_several_is_refused(office: Office) -> None:
    """With a sentence that says what to do."""
    await office.publish(b"", TENANT)
    async with office.running("resolver"):
        await office.letters(JOURNAL, 1)
    [one] = (await office.muster("dead-letters", "list", "--json")).document["letters"]
    for verb in (["redrive"], ["discard", "--reason", "mine"]):
        unknown = await office.muster("dead-letters", *verb, one["id"], "0000aaaa", "--apply")
        assert (unknown.code, "There is no dead letter 0000aaaa" in unknown.err) == (Exit.REFUSED, True)
    missing = await office.muster("dead-letters", "show", "0000aaaa")
    short = await office.muster("dead-letters", "show", "00")
    nothing = await office.muster("dead-letters", "redrive", "--apply")

    assert (missing.code, "`muster dead-letters list --state all`" in missing.err) == (Exit.REFUSED, True)
    assert (short.code, "too short" in short.err) == (Exit.USAGE, True)
    assert (nothing.code, "Say which letters" in nothing.err) == (Exit.USAGE, True)


async def unended(office: Office) -> list:
    return [dict(row) for row in await office.fetch(QUERIES.unfinished, None)]


async def names(office: Office) -> list:
    return await office.fetch("SELECT details->>'name' AS name FROM resolver_g1.members")
