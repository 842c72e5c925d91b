"""
JSON as the same stream of small trees that `elements` makes of XML, in case XPM ever answers in it.

An official description had it for a fortnight: camelCase names, lists without a name for their items, numbers and
booleans bare. Each object becomes the element that XML would have, so that whatever reads records need not know.
"""

import ijson

from services.importer.xpm.elements import ROOT, Element, Trees
from services.importer.xpm.errors import SourceInvalid

_SPELLED = {"uuid": "UUID", "id": "ID"}
_NOT_WELL_FORMED = (ijson.JSONError, ValueError, ArithmeticError)
_LONGEST_TOKEN = 8_000_000
"""Bytes without anything complete in them: the parser keeps them all."""


class ObjectStream:
    """Feed it bytes, take finished elements. Raises `SourceInvalid`, after which it is of no more use."""

    def __init__(self, trees: Trees) -> None:
        self._trees = trees
        self._events = ijson.sendable_list()
        # with Decimals, a number of thousands of digits gives the parser an error that it does not survive
        self._parser = ijson.basic_parse_coro(self._events, use_float=True)
        self._open: list[str] = []
        self._key = ROOT
        self._pending = 0

    def feed(self, data: bytes) -> list[Element]:
        self._pending += len(data)
        try:
            self._parser.send(data)
        except _NOT_WELL_FORMED:
            raise SourceInvalid("JSON that is not well-formed") from None
        return self._taken()

    def close(self) -> list[Element]:
        """Say that the document has ended, and take what is left."""
        try:
            self._parser.close()
        except _NOT_WELL_FORMED:
            raise SourceInvalid("JSON that is not well-formed") from None
        return self._taken()

    def _taken(self) -> list[Element]:
        if self._events:
            self._pending = 0
        elif self._pending > _LONGEST_TOKEN:
            raise SourceInvalid("JSON with a value that does not end")
        for event, value in self._events:
            self._take(event, value)
        del self._events[:]
        return self._trees.taken()

    def _take(self, event: str, value: object) -> None:
        match event:
            case "map_key":
                self._key = _element_name(str(value))
            case "start_map" | "start_array":
                self._begin(is_list=event == "start_array")
            case "end_map" | "end_array":
                self._open.pop()
                self._trees.end("")
                self._key = _item_name(self._open[-1]) if self._open else ROOT
            case _:
                self._trees.start(self._key, {})
                self._trees.data(_text(value))
                self._trees.end("")

    def _begin(self, *, is_list: bool) -> None:
        if is_list and not self._open:
            raise SourceInvalid("JSON that is no object")
        self._trees.start(self._key, {})
        self._open.append(self._key)
        self._key = _item_name(self._key)


def _element_name(key: str) -> str:
    return _SPELLED.get(key, key[:1].upper() + key[1:])


def _item_name(collection: str) -> str:
    """`Client` in `Clients`; within an object the next key says its own name."""
    return collection.removesuffix("s")


def _text(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case float() if value.is_integer():
            return f"{value:.0f}"
    return str(value)
