"""What a call makes of answers that the sandbox never gives; the other party is a script."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import httpx
import pytest

from services.importer import metrics
from services.importer.xpm.api import Xpm, any_client
from services.importer.xpm.calls import Access, Caller, Question
from services.importer.xpm.errors import (
    ClientNotFound,
    ConnectionLost,
    ReconnectRequired,
    SourceInvalid,
    SourceUnavailable,
    XpmError,
)
from services.importer.xpm.records import Client
from tests.support.xpm.scripted import ACCESS, Script, http, xpm

GZIP = {"content-encoding": "gzip"}
CLIENT = "<Response><Status>OK</Status><Client><UUID>1</UUID></Client></Response>"


class Pieces(httpx.AsyncByteStream):
    """A body that comes in pieces, of which the last may be an error."""

    def __init__(self, *pieces: bytes | Exception) -> None:
        self._pieces = pieces

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            if isinstance(piece, Exception):
                raise piece
            yield piece


async def body(question: Question, *answers: httpx.Response | Exception) -> bytes:
    caller = Caller(http(*answers), ACCESS, lambda: datetime.now(UTC))
    async with caller.ask(question) as pieces:
        return b"".join([piece async for piece in pieces])


async def test_an_answer_about_another_client_is_invalid():
    """Whoever mixes up answers must not mix up people."""
    with pytest.raises(SourceInvalid, match="another client"):
        await xpm(httpx.Response(200, text=CLIENT)).read_client("2")


async def test_an_answer_without_a_client_is_invalid():
    """OK and nothing is no answer."""
    with pytest.raises(SourceInvalid):
        await xpm(httpx.Response(200, text="<Response><Status>OK</Status><Client /></Response>")).read_client(
            "1"
        )


async def test_a_404_is_a_client_that_is_not_there():
    """Where 3.1 answers so instead of ERROR with HTTP 200."""
    with pytest.raises(ClientNotFound):
        await xpm(httpx.Response(404)).read_client("1")
    with pytest.raises(SourceInvalid):
        await xpm(httpx.Response(404)).search("jo")


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (httpx.ReadTimeout(""), SourceUnavailable),
        (httpx.ConnectTimeout(""), SourceUnavailable),
        (httpx.ConnectError(""), SourceUnavailable),
        (httpx.RemoteProtocolError(""), ConnectionLost),
        (httpx.ReadError(""), ConnectionLost),
        (httpx.Response(500, text='{Status":500}'), SourceUnavailable),
        (httpx.Response(200, stream=Pieces(b"junk"), headers=GZIP), SourceInvalid),
        (httpx.Response(200, json={"status": "OK", "client": {"uuid": "2"}}), SourceInvalid),
        (httpx.Response(200, json={"Type": None, "Title": "Unauthorized", "Status": 401}), SourceInvalid),
        (httpx.Response(200, json={"message": "ok"}), SourceInvalid),
        (httpx.Response(200, json=[]), SourceInvalid),
        (httpx.Response(200, html="<!doctype html><p>Maintenance"), SourceInvalid),
        (httpx.Response(200), SourceInvalid),
    ],
)
async def test_every_way_to_fail_has_its_place_in_the_family(answer, error):
    """Nothing else ever comes out of a call."""
    with pytest.raises(XpmError) as caught:
        await xpm(answer).read_client("1")

    assert type(caught.value) is error


async def test_a_redirect_is_not_followed():
    """The token goes where it was meant to go and nowhere else."""
    script = Script(httpx.Response(302, headers={"location": "https://elsewhere.example/"}))
    client = httpx.AsyncClient(transport=httpx.MockTransport(script), follow_redirects=True)
    with pytest.raises(SourceInvalid):
        await Xpm(client, ACCESS).read_client("1")

    assert [request.url.host for request in script.requests] == ["xero.example"]


async def test_a_call_carries_token_tenant_and_the_wish_for_xml():
    """Also on the way to XPM nothing is left to defaults."""
    script = Script(httpx.Response(200, text=CLIENT))
    await Xpm(httpx.AsyncClient(transport=httpx.MockTransport(script)), ACCESS).read_client("1")
    (request,) = script.requests

    assert request.url == "https://xero.example/practicemanager/3.1/client.api/get/1"
    assert request.headers["authorization"] == "Bearer secret-token"
    assert request.headers["xero-tenant-id"] == "tenant"
    assert request.headers["accept"] == "application/xml"
    assert "secret-token" not in repr(ACCESS)


async def test_a_moment_is_asked_for_in_utc_without_saying_so():
    """As `modifiedsince` wants it."""
    script = Script(httpx.Response(200, text="<Response><Status>OK</Status><Clients /></Response>"))
    client = Xpm(httpx.AsyncClient(transport=httpx.MockTransport(script)), ACCESS)
    since = datetime.fromisoformat("2026-03-02T09:30:00+10:00")

    assert [found async for found in client.list_clients(detailed=True, modified_since=since)] == []
    assert dict(script.requests[0].url.params) == {"detailed": "true", "modifiedsince": "2026-03-01T23:30:00"}


async def test_an_answer_has_a_largest_size():
    """Counted as it comes, whatever its headers say."""
    endless = httpx.Response(200, stream=Pieces(b"x" * 60, b"x" * 60))
    with pytest.raises(SourceInvalid, match="more than 100 bytes"):
        await body(Question("/", largest=100), endless)


async def test_an_answer_has_a_longest_time():
    """One that drips on and on is no answer."""
    with pytest.raises(SourceUnavailable, match="longer than 0 seconds"):
        await body(Question("/", largest=100, seconds=0), httpx.Response(200, stream=Pieces(b"x", b"y")))


async def test_a_list_that_is_lost_before_its_first_client_is_begun_anew():
    """Nothing was handed out, so nothing can come twice."""
    lost = httpx.Response(200, stream=Pieces(b"<Response><Status>OK</Status>", httpx.ReadError("")))
    whole = httpx.Response(200, text=f"{CLIENT}")
    found = [client async for client in xpm(lost, whole).list_clients(detailed=True)]

    assert [client.xpm_client_id for client in found] == ["1"]


@pytest.mark.parametrize(
    ("header", "kept"), [("63d3996e-cb25", "63d3996e-cb25"), ("jo@x.example", None), ("", None)]
)
async def test_a_correlation_id_is_kept_only_if_it_looks_like_one(header, kept):
    """It goes into logs, so nothing else may come with it."""
    with pytest.raises(SourceUnavailable) as caught:
        await xpm(httpx.Response(503, headers={"xero-correlation-id": header})).read_client("1")

    assert caught.value.correlation_id == kept


async def test_a_client_that_will_not_do_names_the_call():
    """Xero's support asks for it, whoever finds fault with an answer."""

    def none(_: Client) -> None:
        raise ClientNotFound("deleted")

    named = {"xero-correlation-id": "63d3996e-cb25"}
    for wanted, check in (("1", none), ("2", any_client)):
        with pytest.raises(XpmError) as caught:
            await xpm(httpx.Response(200, text=CLIENT, headers=named)).read_client(wanted, check)
        assert caught.value.correlation_id == "63d3996e-cb25"


async def test_a_connection_that_is_lost_names_the_call_that_showed_it():
    """The token service names none itself."""

    class Lost(Access):
        async def access(self, refused: Access | None = None) -> Access:
            if refused is not None:
                raise ReconnectRequired("invalid_grant")
            return self

    answer = httpx.Response(401, headers={"xero-correlation-id": "63d3996e-cb25"})
    with pytest.raises(ReconnectRequired, match="invalid_grant") as caught:
        await Xpm(http(answer), Lost("token", "practice", "https://xero.example")).read_client("1")
    assert caught.value.correlation_id == "63d3996e-cb25"


async def test_texts_that_were_not_taken_are_counted():
    """By element and never by what stood there."""
    counted = metrics.NOT_TAKEN.labels("DateOfBirth", "unreadable")._value
    before = counted.get()
    text = CLIENT.replace("</UUID>", "</UUID><DateOfBirth>last spring</DateOfBirth>")
    await xpm(httpx.Response(200, text=text)).read_client("1")
    assert counted.get() == before + 1
