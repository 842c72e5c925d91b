"""
XML as a stream of finished elements, from a source that is not trusted.

The parser opens nothing and expands nothing: a DOCTYPE is refused when its first line is read, so no entity is ever
declared. What was handed out leaves the document, so memory follows the largest single record, not the whole.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from lxml import etree

from services.importer.xpm.errors import SourceInvalid
from services.importer.xpm.values import line

ROOT = "Response"
COLLECTION = "Clients"
RECORD = "Client"
COUNTED_EVERY = 500_000
"""Bytes of a record after which its elements are counted: the smallest take thirty times their bytes in memory."""


@dataclass(frozen=True)
class Limits:
    """How much is too much for one record: of XML bytes, of JSON characters and depth, of both elements.

    XML that is nested deeper than 256 is refused by the parser itself.
    """

    elements: int = 250_000
    bytes: int = 8_000_000
    characters: int = 8_000_000
    depth: int = 32


class Element(ABC):
    """An element with its text and its children; attributes are not kept."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    @property
    @abstractmethod
    def text(self) -> str:
        """All that stands directly in it."""

    @abstractmethod
    def named(self, name: str) -> Iterator["Element"]:
        """The children of that name."""

    @abstractmethod
    def read(self, *names: str) -> tuple[Mapping[str, str], Mapping[str, "Element"]]:
        """
        Under each name, or each of these, the first text that is not blank, and the first child that has children.

        An empty element never hides a value.
        """

    def within(self, collection: str, name: str) -> Iterator["Element"]:
        """The elements of a collection such as `Contacts/Contact`, however many collections there are."""
        return (item for group in self.named(collection) for item in group.named(name))


class _Node(Element):
    """An element of a parsed document."""

    __slots__ = ("_node",)

    def __init__(self, name: str, node: etree._Element) -> None:
        super().__init__(name)
        self._node = node

    @property
    def text(self) -> str:
        return _text(self._node)

    def named(self, name: str) -> Iterator[Element]:
        return (_Node(name, node) for node in self._node.iterchildren(f"{{*}}{name}"))

    def read(self, *names: str) -> tuple[Mapping[str, str], Mapping[str, Element]]:
        values: dict[str, str] = {}
        nested: dict[str, Element] = {}
        for node in self._node.iterchildren(*(f"{{*}}{name}" for name in names)) if names else self._node:
            text = node.text
            if len(node):
                name, text = _name(node), _text(node)
                nested.setdefault(name, _Node(name, node))
            if text and not is_blank(text):
                values.setdefault(_name(node), text)
        return values, nested


class ElementStream:
    """Whatever stands directly under `Response` or under `Response/Clients`, when the next such element has begun.

    Feed it bytes, take finished elements. Raises `SourceInvalid`, after which it is of no more use.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._prologue: etree.XMLParser | None = None
        self._begun = False
        self._parser: Any = etree.XMLPullParser(("start",), tag=f"{{*}}{ROOT}", **_HARDENED)
        self._root: Any = None
        self._unfinished = 0

    def feed(self, data: bytes) -> list[Element]:
        try:
            self._check_prologue(data)
            self._parser.feed(data)
        except etree.XMLSyntaxError as error:
            raise _not_well_formed(error) from None
        found = self._taken(ended=False)
        if found:
            self._unfinished = 0
        else:
            self._check_size(len(data))
        return found

    def close(self) -> list[Element]:
        """Say that the document has ended, and take what is left."""
        try:
            self._parser.close()
        except etree.XMLSyntaxError as error:
            raise _not_well_formed(error) from None
        return self._taken(ended=True)

    def __del__(self) -> None:
        """A document that did not end and its parser hold each other until garbage is collected: let it be small."""
        if self._root is not None:
            self._root.clear()

    def _check_prologue(self, data: bytes) -> None:
        """Another parser reads what comes before the root: this one would only tell of a DOCTYPE when it is over.

        To make that one takes longer than many an answer's prologue, and most have none.
        """
        if self._begun:
            return
        if self._prologue is None:
            if _ROOT_AT_ONCE.match(data):
                self._begun = True
                return
            self._prologue = _prologue_parser()
        try:
            self._prologue.feed(data)
        except _Begun:
            self._begun, self._prologue = True, None

    def _check_size(self, more: int) -> None:
        counted, self._unfinished = self._unfinished // COUNTED_EVERY, self._unfinished + more
        if self._unfinished > self._limits.bytes:
            raise SourceInvalid(f"a record of more than {self._limits.bytes} bytes")
        if self._root is None or self._unfinished // COUNTED_EVERY == counted:
            return
        if self._root.xpath("count(.//*)") > self._limits.elements:
            raise SourceInvalid(f"a record of more than {self._limits.elements} elements")

    def _taken(self, *, ended: bool) -> list[Element]:
        for _, node in self._parser.read_events():
            self._root = node if self._root is None else self._root
        if self._root is None:
            return []
        found: list[etree._Element] = []
        for node in _finished(self._root, ended=ended):
            found += node if _name(node) == COLLECTION else [node]
        if len(self._root) and _name(self._root[-1]) == COLLECTION:
            found += _finished(self._root[-1], ended=False)
        return [_Node(_name(node), node) for node in found]


_HARDENED: Mapping[str, Any] = {
    "resolve_entities": False,
    "no_network": True,
    "load_dtd": False,
    "dtd_validation": False,
    "huge_tree": False,
    "remove_comments": True,
    "remove_pis": True,
}


_ROOT_AT_ONCE = re.compile(rb"\s*<%b[\s/>]" % ROOT.encode())
"""Without a mark or a declaration it is UTF-8, so these bytes are the root, and a DOCTYPE can no longer come."""


def _prologue_parser() -> etree.XMLParser:
    return etree.XMLParser(
        target=_Prologue(),  # type: ignore[arg-type]  # its stubs allow for bytes, which Python 3 never gets
        **_HARDENED,
    )


class _Begun(Exception):
    """The root has begun: a DOCTYPE can no longer come."""


class _Prologue:
    """A parser's target that sees the prologue and the root's first tag, and nothing more."""

    def doctype(self, *_: object) -> None:
        raise SourceInvalid("a document with a DOCTYPE")

    def start(self, tag: str, _attributes: object) -> None:
        if _local(tag) != ROOT:
            raise SourceInvalid("not a Response")
        raise _Begun

    def close(self) -> None:
        """The parser asks for a result, and there is none."""


def _finished(parent: etree._Element, *, ended: bool) -> list[etree._Element]:
    """The children that are complete, which leave their parent: those that another one follows, in the end all."""
    children = list(parent) if ended else list(parent)[:-1]
    del parent[: len(children)]
    return children


def _name(node: etree._Element) -> str:
    return _local(node.tag)


def _local(tag: str) -> str:
    return tag.rpartition("}")[2] if tag[0] == "{" else tag


def _text(node: etree._Element) -> str:
    return (node.text or "") + "".join(child.tail or "" for child in node)


def is_blank(text: str) -> bool:
    """Whether nothing is left of a text on one line."""
    return not text or not (text[0].isalnum() or line(text))


def _not_well_formed(error: etree.XMLSyntaxError) -> SourceInvalid:
    """The error's own message may quote the document, so only its place goes on."""
    row, column = error.position
    return SourceInvalid(f"not well-formed at line {row}, column {column}")
