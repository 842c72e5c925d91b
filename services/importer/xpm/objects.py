"""
JSON as the same stream of small trees that `elements` makes of XML, in case XPM ever answers in it.

An official description had it for a fortnight: camelCase names, lists without a name for their items, numbers and
booleans bare. Each object becomes the element that XML would have, so that whatever reads records need not know.
"""

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet

import ijson

from services.importer.xpm.elements import COLLECTION, RECORD, ROOT, Element, Limits, is_blank
from services.importer.xpm.errors import SourceInvalid

_SPELLED = {"uuid": "UUID", "id": "ID"}
_NOT_WELL_FORMED = (ijson.JSONError, ValueError, ArithmeticError)
_LONGEST_TOKEN = 8_000_000
"""Bytes without anything complete in them: the parser keeps them all."""


class ObjectStream:
    """Feed it bytes, take finished elements. Raises `SourceInvalid`, after which it is of no more use."""

    def __init__(self, wanted: AbstractSet[str], limits: Limits) -> None:
        self._trees = _Trees(wanted, limits)
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

    @property
    def is_described(self) -> bool:
        """Whether there were clients, as there are in what is described of JSON."""
        return bool(self._trees.sections & {COLLECTION, RECORD})

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
                self._trees.end()
                self._key = _item_name(self._open[-1]) if self._open else ROOT
            case _:
                self._trees.start(self._key)
                self._trees.data(_text(value))
                self._trees.end()

    def _begin(self, *, is_list: bool) -> None:
        if is_list and not self._open:
            raise SourceInvalid("JSON that is no object")
        self._trees.start(self._key)
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


class _Branch(Element):
    """An element that an object was made into."""

    __slots__ = ("children", "words")

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.words: list[str] = []
        self.children: list[_Branch] = []

    @property
    def text(self) -> str:
        return "".join(self.words)

    def named(self, name: str) -> Iterator[Element]:
        return (child for child in self.children if child.name == name)

    def read(self, *names: str) -> tuple[Mapping[str, str], Mapping[str, Element]]:
        values: dict[str, str] = {}
        nested: dict[str, Element] = {}
        for child in self.children:
            if names and child.name not in names:
                continue
            if child.children:
                nested.setdefault(child.name, child)
            if not is_blank(child.text):
                values.setdefault(child.name, child.text)
        return values, nested


_WRAPPER = _Branch("")
_UNWANTED = _Branch("")


class _Trees:
    """
    Builds trees of whatever stands directly under the root or under its `Clients`.

    Of a record only the children named in `wanted` are kept. Holds the limits; raises `SourceInvalid`.
    """

    def __init__(self, wanted: AbstractSet[str], limits: Limits) -> None:
        self._wanted = wanted
        self._limits = limits
        self.sections: set[str] = set()
        """The names of what stood directly under the root so far."""
        self._finished: list[Element] = []
        self._open: list[_Branch] = []
        self._elements = 0
        self._characters = 0

    def taken(self) -> list[Element]:
        finished, self._finished = self._finished, []
        return finished

    def start(self, name: str) -> None:
        if len(self._open) >= self._limits.depth:
            raise SourceInvalid(f"nested deeper than {self._limits.depth} elements")
        parent = self._open[-1] if self._open else None
        self._open.append(_UNWANTED if parent is _UNWANTED else self._opened(parent, name))

    def data(self, text: str) -> None:
        element = self._open[-1]
        if element is _WRAPPER or element is _UNWANTED:
            return
        self._characters += len(text)
        if self._characters > self._limits.characters:
            raise SourceInvalid(f"a record of more than {self._limits.characters} characters")
        element.words.append(text)

    def end(self) -> None:
        element = self._open.pop()
        if element is not _WRAPPER and self._open[-1] is _WRAPPER:
            self._finished.append(element)

    def _opened(self, parent: _Branch | None, name: str) -> _Branch:
        if parent is None:
            return _WRAPPER
        if parent is _WRAPPER:
            return self._outermost(name)
        if parent.name == RECORD and name not in self._wanted and self._open[-2] is _WRAPPER:
            return _UNWANTED
        self._elements += 1
        if self._elements > self._limits.elements:
            raise SourceInvalid(f"a record of more than {self._limits.elements} elements")
        element = _Branch(name)
        parent.children.append(element)
        return element

    def _outermost(self, name: str) -> _Branch:
        self.sections.add(name)
        if name == COLLECTION and len(self._open) == 1:
            return _WRAPPER
        self._elements = self._characters = 0
        return _Branch(name)
