"""Reading a client and its parties, from an XPM whose answers are written down."""

import asyncio
from collections import Counter
from datetime import UTC, datetime

import httpx
import pytest

from schemas.codec import decode
from schemas.imports import ImportStaged, ItemStaged
from schemas.topics import JOURNAL
from services.importer.connecting.keys import Keys
from services.importer.domain import Party
from services.importer.metrics import CONTRADICTIONS
from services.importer.reading import Practices
from services.importer.remembered import Remembered
from services.importer.settings import ImporterSettings
from services.importer.xpm import errors
from services.importer.xpm.directions import Directions, corrected
from tests.support.importing.requests import request

NOON = datetime(2026, 6, 30, 12, 30, tzinfo=UTC)
TOO_MANY = httpx.Response(429, headers={"retry-after": "22", "x-rate-limit-problem": "minute"})


def record(uuid: str, *ties: str, name: str | None = "A name", more: str = "") -> httpx.Response:
    """A good answer."""
    named = f"<Name>{name}</Name>" if name else ""
    relationships = f"<Relationships>{''.join(ties)}</Relationships>"
    client = f"<Client><UUID>{uuid}</UUID>{named}{more}{relationships}</Client>"
    return httpx.Response(200, text=f"<Response><Status>OK</Status>{client}</Response>")


def tie(party: str, end: str = "") -> str:
    related = f"<RelatedClient><UUID>{party}</UUID><Name>Name on the tie</Name></RelatedClient>"
    return f"<Relationship><Type>Director</Type>{related}<EndDate>{end}</EndDate></Relationship>"


class Xpm:
    """Answers by client id: each answer once, the last one for ever."""

    def __init__(self, **answers: httpx.Response | list[httpx.Response]) -> None:
        self.answers = {name: each if isinstance(each, list) else [each] for name, each in answers.items()}
        self.calls: Counter[str] = Counter()
        self.at_once = self.most_at_once = 0

    async def __call__(self, asked: httpx.Request) -> httpx.Response:
        client = asked.url.path.rpartition("/")[2]
        self.calls[client] += 1
        self.at_once += 1
        self.most_at_once = max(self.at_once, self.most_at_once)
        await asyncio.sleep(0)
        self.at_once -= 1
        answers = self.answers[client]
        told = answers.pop(0) if len(answers) > 1 else answers[0]
        return httpx.Response(told.status_code, headers=told.headers, content=told.content)

    def practices(self, time_zone: str | None = None, **more: object) -> Practices:
        connection = {"xpm_tenant_id": "x", "access_token": "secret", "time_zone": time_zone}
        settings = ImporterSettings(xpm_connections={"t1": connection}, xpm_url="http://xpm.example", **more)
        keys = Keys(settings.xpm_connections, settings.xpm_url, None)

        async def words(tenant_id: str) -> Directions:
            return corrected(settings.xpm_directions.get(tenant_id, {}))

        return Practices(httpx.AsyncClient(transport=httpx.MockTransport(self)), keys, settings, words)


async def read(practices: Practices, *, last_attempt: bool = False) -> tuple[list[ItemStaged], ImportStaged]:
    asked = request("i1", "c1", xpm_client_id="client")
    events = await practices.read(asked, "client", NOON, last_attempt=last_attempt)
    _, *items, complete = (decode(event, JOURNAL).data for event in events)
    assert isinstance(complete, ImportStaged)
    return [item for item in items if isinstance(item, ItemStaged)], complete


def stubs(items: list[ItemStaged]) -> dict[str, bool]:
    return {item.xpm_party_id: item.stub for item in items}


TWO_TIES = record("client", tie("mara"), tie("tomas"))
GONE = httpx.Response(200, text="<Response><Status>ERROR</Status></Response>")
FORBIDDEN = httpx.Response(403)
DOWN = httpx.Response(503)
BROKEN = httpx.Response(200, text="<Response><Status>OK</Status>")


async def test_a_party_that_is_not_there_is_a_stub() -> None:
    """A relationship to a record that is gone is normal."""
    xpm = Xpm(client=TWO_TIES, mara=record("mara"), tomas=GONE)
    items, _ = await read(xpm.practices())
    assert stubs(items) == {"mara": False, "tomas": True}


async def test_a_party_that_xpm_refuses_is_a_stub() -> None:
    """As long as the client itself can be read, it is this record that is out of reach, not the practice."""
    xpm = Xpm(client=TWO_TIES, mara=record("mara"), tomas=FORBIDDEN)
    items, _ = await read(xpm.practices())
    assert stubs(items) == {"mara": False, "tomas": True}
    assert xpm.calls["client"] == 2


async def test_a_practice_that_is_disconnected_halfway_leaves_no_stubs() -> None:
    """If the client itself is refused as well, the import fails."""
    xpm = Xpm(client=[TWO_TIES, FORBIDDEN], mara=FORBIDDEN, tomas=FORBIDDEN)
    with pytest.raises(errors.Forbidden):
        await read(xpm.practices())


@pytest.mark.parametrize(
    ("answer", "error"), [(DOWN, errors.SourceUnavailable), (BROKEN, errors.SourceInvalid)]
)
async def test_a_party_in_trouble_is_tried_again_first(
    answer: httpx.Response, error: type[Exception]
) -> None:
    """Trouble may pass: only on the last attempt is the party taken for one that cannot be read."""
    practices = Xpm(client=TWO_TIES, mara=record("mara"), tomas=answer).practices()
    with pytest.raises(error):
        await read(practices)
    items, _ = await read(practices, last_attempt=True)
    assert stubs(items) == {"mara": False, "tomas": True}


async def test_an_outage_on_the_last_attempt_makes_no_stubs() -> None:
    """If the client cannot be read any more either, XPM is down, and the import fails."""
    xpm = Xpm(client=[TWO_TIES, DOWN], mara=DOWN, tomas=DOWN)
    with pytest.raises(errors.SourceUnavailable):
        await read(xpm.practices(), last_attempt=True)


@pytest.mark.parametrize(
    ("answer", "error"),
    [(TOO_MANY, errors.Throttled), (httpx.Response(401), errors.ReconnectRequired)],
)
async def test_limits_and_tokens_are_not_the_party_s_fault(
    answer: httpx.Response, error: type[Exception]
) -> None:
    """Not even on the last attempt."""
    with pytest.raises(error):
        await read(Xpm(client=TWO_TIES, mara=answer, tomas=answer).practices(), last_attempt=True)


async def test_what_was_read_before_a_wait_is_not_read_again() -> None:
    """Otherwise a client with more parties than XPM allows calls could never be imported; its own record is fresh."""
    ties = [tie(f"p{number}") for number in range(10)]
    parties = {f"p{number}": record(f"p{number}") for number in range(7)}
    late = {f"p{number}": [TOO_MANY, record(f"p{number}")] for number in range(7, 10)}
    xpm = Xpm(client=record("client", *ties), **parties, **late)
    practices = xpm.practices(import_calls=1)
    for _ in range(3):
        with pytest.raises(errors.Throttled):
            await read(practices)
    items, _ = await read(practices)
    assert len(items) == 10
    assert [xpm.calls[name] for name in parties] == [1] * 7
    assert xpm.calls["client"] == 4


async def test_what_an_import_has_read_is_forgotten_with_it() -> None:
    """The next import of the client sees what is true then."""
    xpm = Xpm(client=TWO_TIES, mara=[record("mara"), record("mara", name="A new name")], tomas=GONE)
    practices = xpm.practices()
    await read(practices)
    practices.forget(request("i1"))
    items, _ = await read(practices)
    assert items[0].personal.name == "A new name"


def test_memory_of_what_was_read_is_bounded() -> None:
    """Beyond the limit the import that was read longest ago is forgotten, never the one at hand."""
    remembered = Remembered(limit=5)
    for name in ("first", "second"):
        remembered.of("t1", name).update(dict.fromkeys("abc", Party(None, None)))
    assert remembered.of("t1", "second").keys() == set("abc")
    assert not remembered.of("t1", "first")
    remembered.of("t1", "large").update({str(number): Party(None, None) for number in range(9)})
    assert len(remembered.of("t1", "large")) == 9


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (GONE, errors.ClientNotFound),
        (record("client", more="<IsDeleted>Yes</IsDeleted>"), errors.ClientNotFound),
        (record("client", name=None), errors.SourceInvalid),
        (FORBIDDEN, errors.Forbidden),
    ],
)
async def test_a_client_that_cannot_be_read_ends_the_reading(
    answer: httpx.Response, error: type[Exception]
) -> None:
    """A client without a name is none: whatever would be put in its place would replace the portal's."""
    with pytest.raises(error):
        await read(Xpm(client=answer).practices())


async def test_a_practice_that_nobody_connected_is_not_asked() -> None:
    """There is nothing to ask with."""
    xpm = Xpm()
    with pytest.raises(errors.NotConnected):
        await xpm.practices().read(request("i1", tenant_id="t2"), "client", NOON, last_attempt=False)
    assert not xpm.calls


@pytest.mark.parametrize(
    ("time_zone", "end", "is_over"),
    [
        (None, "2026-06-29", True),
        (None, "2026-06-30", False),
        ("Pacific/Auckland", "2026-06-30", True),
        ("Pacific/Auckland", "2026-07-01", False),
        ("America/Los_Angeles", "2026-06-30", False),
    ],
)
async def test_a_relationship_ends_when_its_last_day_is_over_for_the_practice(
    time_zone: str | None,
    end: str,
    is_over: bool,  # noqa: FBT001
) -> None:
    """At 12:30 UTC it is the next day in New Zealand; without a time zone the day is UTC's."""
    xpm = Xpm(client=record("client", tie("mara", end)), mara=record("mara"))
    items, complete = await read(xpm.practices(time_zone))
    assert (len(items), complete.left_out.ended) == ((0, 1) if is_over else (1, 0))


async def test_an_import_has_no_more_calls_at_once_than_it_may() -> None:
    """Times the imports of a practice that are in hand, that is what XPM allows."""
    ties = [tie(f"p{number}") for number in range(9)]
    answers = {f"p{number}": record(f"p{number}") for number in range(9)}
    xpm = Xpm(client=record("client", *ties), **answers)
    await read(xpm.practices(import_calls=2))
    assert xpm.most_at_once == 2


def test_a_time_zone_that_nobody_knows_is_refused() -> None:
    """The day would end at the wrong time."""
    connection = {"xpm_tenant_id": "x", "access_token": "s", "time_zone": "Auckland"}
    with pytest.raises(ValueError, match="time zone"):
        ImporterSettings(xpm_connections={"t1": connection})


async def test_words_that_contradict_a_business_structure_are_counted() -> None:
    """Nobody is director of a person: the practice means its words the other way round, unless it has said so."""

    def counted() -> float:
        return CONTRADICTIONS._value.get()

    answers = {
        "client": record("client", tie("jo"), more="<BusinessStructure>Individual</BusinessStructure>"),
        "jo": record("jo"),
    }
    before = counted()
    await read(Xpm(**answers).practices())
    assert counted() == before + 1

    turned = {"Director": {"role": "Director", "holder": "client", "party_is": "Company directed"}}
    await read(Xpm(**answers).practices(xpm_directions={"t1": turned}))
    assert counted() == before + 1
