"""What a fault makes of an answer: another one in its place, or the same one spoilt on its way out."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Send

from sandbox import answers
from sandbox.chance import made_up_uuid
from sandbox.dialect import Dialect
from sandbox.document import Printer
from sandbox.faults import Fault, Kind
from sandbox.practice import Party, Practice

_MEGABYTE = 1_000_000
_OTHERS: dict[Kind, Callable[[], Response]] = {
    "outage": answers.unavailable,
    "error": answers.garbage,
    "malformed": lambda: answers.xml(answers.BROKEN),
    "doctype": lambda: answers.xml(answers.BOMB),
}


def instead(fault: Fault, practice: Practice | None, dialect: Dialect) -> ASGIApp | None:
    """The answer that a fault puts in the place of the true one, if it does."""
    if fault.kind == "throttle":
        return answers.throttled(fault.problem, None if fault.problem == "concurrent" else fault.seconds)
    if fault.kind == "huge" and practice is not None:
        return answers.xml_stream(_huge(Printer(practice, dialect), practice, fault.megabytes * _MEGABYTE))
    other = _OTHERS.get(fault.kind)
    return other() if other else None


def on_its_way(fault: Fault, send: Send) -> Send:
    """The way out for the answer, if the fault spoils it there."""
    match fault.kind:
        case "cut":
            return _cut_short(send)
        case "charset":
            return _miscoded(send)
    return send


def _cut_short(send: Send) -> Send:
    """Send half of the first piece and nothing more; the server then closes the connection on the client."""
    cut = False

    async def half(message: Message) -> None:
        nonlocal cut
        if message["type"] == "http.response.start":
            await send(message)
        elif not cut:
            cut = True
            body = message["body"]
            await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})

    return half


def _miscoded(send: Send) -> Send:
    """Send the text in another encoding than the one it says it has, beginning with a letter that shows it."""
    begun = False

    async def recoded(message: Message) -> None:
        nonlocal begun
        if message["type"] == "http.response.start":
            headers = [(name, value) for name, value in message["headers"] if name != b"content-length"]
            await send({**message, "headers": headers})
            return
        text = ("" if begun else "<!-- \u00e9 -->") + message["body"].decode()
        begun = True
        await send({**message, "body": text.encode("cp1252", "xmlcharrefreplace")})

    return recoded


def _huge(printer: Printer, practice: Practice, size: int) -> Iterator[str]:
    """A detailed list of at least so many characters: the practice's clients, and their like under other ids."""
    own, written = practice.listed(), 0

    def parties() -> Iterator[Party]:
        yield from own
        for number in count():
            if written >= size:
                return
            party = own[number % len(own)]
            yield replace(party, uuid=made_up_uuid("copy", number, party.uuid))

    for piece in printer.many_clients("List", parties(), "detailed"):
        written += len(piece)
        yield piece
