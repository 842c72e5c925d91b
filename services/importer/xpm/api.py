"""
What we ask Xero Practice Manager, one method per question. Everything raises the family in `errors` and nothing else.

An `Xpm` is cheap: make one for each practice and token at hand. It asks once; only a connection that was lost before
anything was handed out is tried a second time, because reading changes nothing. Waiting is the caller's business.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Container, Sequence
from contextlib import aclosing
from datetime import UTC, datetime
from functools import partial
from typing import TypeVar

import httpx

from services.importer import metrics
from services.importer.quota.tolls import Road, free
from services.importer.xpm import records, values
from services.importer.xpm.calls import Caller, Key, Question
from services.importer.xpm.connections import practices
from services.importer.xpm.errors import ClientNotFound, ConnectionLost, SourceInvalid
from services.importer.xpm.reader import ClientReader
from services.importer.xpm.records import Client, Connection

METHODS = "/practicemanager/3.1/client.api"

_ONE = 8_000_000
_SOME = 32_000_000
_ALL = 500_000_000

Answer = TypeVar("Answer")


def any_client(_: Client) -> None:
    """Every client will do."""


def utc_now() -> datetime:
    return datetime.now(UTC)


class Xpm:
    """The read side of the API for one practice. `http` is shared, kept open and closed by whoever made it."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        key: Key,
        now: Callable[[], datetime] = utc_now,
        road: Road = free,
    ) -> None:
        self._caller = Caller(http, key, now, road)

    async def read_client(self, xpm_client_id: str, check: Callable[[Client], None] = any_client) -> Client:
        """
        A client with its relationships, archived and deleted ones too. Raises `ClientNotFound`.

        What `check` raises of a client that will not do names the call, as every error does.
        """
        try:
            wanted = values.identifier(xpm_client_id)
        except ValueError:
            raise ClientNotFound("an id that XPM cannot have given") from None

        def the_one(found: Sequence[Client]) -> None:
            if len(found) != 1 or wanted not in (found[0].xpm_client_id, found[0].number):
                raise SourceInvalid("an answer about another client")
            check(found[0])

        question = Question(f"{METHODS}/get/{wanted}", _ONE, refused=ClientNotFound)
        (client,) = await self._clients(question, the_one)
        return client

    async def list_clients(
        self,
        *,
        detailed: bool,
        modified_since: datetime | None = None,
        tied: Container[str] | None = None,
        known: Container[str] | None = None,
    ) -> AsyncGenerator[Client, None]:
        """
        All clients that are neither archived nor deleted; with `modified_since`, whatever changed since then.

        `detailed` ones have relationships, or only those have them whose ids are in `tied`. Those whose ids are `known`
        are left out, unless they are archived or deleted.

        Clients come as they are read, from an answer that may take minutes: an error may follow some of them. Close
        the generator if you leave it early.
        """
        parameters = {"detailed": str(detailed).lower()}
        if modified_since is not None:
            parameters["modifiedsince"] = f"{modified_since.astimezone(UTC):%Y-%m-%dT%H:%M:%S}"
        question = Question(f"{METHODS}/list", _ALL, parameters, quiet=300, seconds=1_800)
        handed_out = False
        try:
            async with aclosing(self._stream(question, tied, known)) as clients:
                async for client in clients:
                    handed_out = True
                    yield client
        except ConnectionLost:
            if handed_out:
                raise
        else:
            return
        async with aclosing(self._stream(question, tied, known)) as clients:
            async for client in clients:
                yield client

    async def search(self, text: str) -> tuple[Client, ...]:
        """Clients that XPM finds for a text, without relationships; none for a blank one."""
        wanted = values.line(text)
        if wanted is None:
            return ()
        query = values.shortened(wanted, records.NAME_LENGTH)
        return await self._clients(Question(f"{METHODS}/search", _SOME, {"query": query}))

    async def connections(self) -> tuple[Connection, ...]:
        """The practices that the token reaches; it needs no `xero_tenant_id`."""
        return await _once_more(partial(self._practices, Question("/connections", _ONE)))

    async def _practices(self, question: Question) -> tuple[Connection, ...]:
        async with self._caller.ask(question) as body:
            return practices(b"".join([piece async for piece in body]))

    async def _clients(
        self, question: Question, check: Callable[[Sequence[Client]], None] = lambda _: None
    ) -> tuple[Client, ...]:
        return await _once_more(partial(self._read, question, check))

    async def _read(
        self, question: Question, check: Callable[[Sequence[Client]], None]
    ) -> tuple[Client, ...]:
        async with self._caller.ask(question) as body:
            found = tuple([client async for client in _read_from(body)])
            check(found)
        return found

    async def _stream(
        self, question: Question, tied: Container[str] | None, known: Container[str] | None
    ) -> AsyncGenerator[Client, None]:
        async with self._caller.ask(question) as body, aclosing(_read_from(body, tied, known)) as clients:
            async for client in clients:
                yield client


async def _read_from(
    body: AsyncIterator[bytes], tied: Container[str] | None = None, known: Container[str] | None = None
) -> AsyncGenerator[Client, None]:
    reader = ClientReader(tied=tied, known=known)
    async for piece in body:
        for client in reader.feed(piece):
            yield _noted(client)
    for client in reader.close():
        yield _noted(client)


def _noted(client: Client) -> Client:
    for remark in client.remarks:
        metrics.NOT_TAKEN.labels(remark.element, remark.kind).inc()
    return client


async def _once_more(ask: Callable[[], Awaitable[Answer]]) -> Answer:
    """Ask a second time if the connection was lost the first time."""
    try:
        return await ask()
    except ConnectionLost:
        return await ask()
