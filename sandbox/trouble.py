"""What a fault makes of an answer: another one in its place, or the same one spoilt on its way out."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Send

from sandbox import answers, document
from sandbox.chance import made_up_uuid
from sandbox.faults import Fault, Kind
from sandbox.practice import Practice

_MEGABYTE = 1_000_000
_OTHERS: dict[Kind, Callable[[], Response]] = {
    "outage": answers.unavailable,
    "error": answers.garbage,
    "malformed": lambda: answers.xml(answers.BROKEN),
    "doctype": lambda: answers.xml(answers.BOMB),
}


def instead(fault: Fault, practice: Practice | None) -> ASGIApp | None:
    """The answer that a fault puts in the place of the true one, if it does."""
    if fault.kind == "throttle":
        return answers.throttled(fault.problem, None if fault.problem == "concurrent" else fault.seconds)
    if fault.kind == "huge" and practice is not None:
        return answers.xml_stream(_huge(practice, fault.megabytes * _MEGABYTE))
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


def _huge(practice: Practice, size: int) -> Iterator[str]:
    """A detailed list of at least so many bytes: clients of the practice, and more of their kind under other ids."""
    own = practice.listed()
    for piece in document.many_clients("List", practice, own, detailed=True):
        size -= len(piece)
        if piece != document.END_OF_MANY:
            yield piece
    for number in count():
        if size <= 0:
            break
        party = own[number % len(own)]
        copy = replace(party, uuid=made_up_uuid("copy", number, party.uuid))
        piece = document.client(practice, copy, detailed=True)
        size -= len(piece)
        yield piece
    yield document.END_OF_MANY
