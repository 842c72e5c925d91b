"""
XML as a stream of small trees, from a source that is not trusted.

The parser opens nothing and expands nothing: a DOCTYPE is refused when its first line is read, so no entity is ever
declared. What is not wanted is never kept, so memory follows the largest single record, not the document.
"""

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from lxml import etree

from services.importer.xpm.errors import SourceInvalid
from services.importer.xpm.values import line

ROOT = "Response"
COLLECTION = "Clients"
RECORD = "Client"


@dataclass(frozen=True)
class Limits:
    """How much is too much: depth of nesting, elements and characters of one record."""

    depth: int = 32
    elements: int = 250_000
    characters: int = 8_000_000


class Element:
    """An element with its text and its children; attributes are not kept."""

    __slots__ = ("_values", "children", "name", "texts")

    def __init__(self, name: str) -> None:
        self.name = name
        self.texts: list[str] = []
        self.children: list[Element] = []
        self._values: dict[str, str] | None = None

    @property
    def text(self) -> str:
        return self.texts[0] if len(self.texts) == 1 else "".join(self.texts)

    def named(self, name: str) -> Iterator["Element"]:
        return (child for child in self.children if child.name == name)

    def within(self, collection: str, name: str) -> Iterator["Element"]:
        """The elements of a collection such as `Contacts/Contact`, however many collections there are."""
        return (item for group in self.named(collection) for item in group.named(name))

    def value(self, name: str) -> str:
        """
        The first text that is not blank under that name, or "": an empty element never hides a value.

        Ask when the element is complete: what comes later is not looked for.
        """
        if self._values is None:
            self._values = self._first_values()
        return self._values.get(name, "")

    def _first_values(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for child in self.children:
            if child.texts and child.name not in found and line(text := child.text):
                found[child.name] = text
        return found


class ElementStream:
    """Feed it bytes, take finished elements. Raises `SourceInvalid`, after which it is of no more use."""

    def __init__(self, trees: "Trees") -> None:
        self._trees = trees
        self._parser = etree.XMLParser(
            target=trees,  # type: ignore[arg-type]  # its stubs allow for bytes, which Python 3 never gets
            resolve_entities=False,
            no_network=True,
            load_dtd=False,
            dtd_validation=False,
            huge_tree=False,
        )

    def feed(self, data: bytes) -> list[Element]:
        try:
            self._parser.feed(data)
        except etree.XMLSyntaxError as error:
            raise _not_well_formed(error) from None
        return self._trees.taken()

    def close(self) -> list[Element]:
        """Say that the document has ended, and take what is left."""
        try:
            self._parser.close()
        except etree.XMLSyntaxError as error:
            raise _not_well_formed(error) from None
        return self._trees.taken()


_WRAPPER = Element("")
_UNWANTED = Element("")


class Trees:
    """
    The parser's target: builds trees of whatever stands directly under `Response` or under `Response/Clients`.

    Of a record (`Client`) only the children named in `wanted` are kept. Holds the limits; raises `SourceInvalid`.
    """

    def __init__(self, wanted: AbstractSet[str], limits: Limits) -> None:
        self._wanted = wanted
        self._limits = limits
        self.sections: set[str] = set()
        """The names of what stood directly under the root so far."""
        self._finished: list[Element] = []
        self._open: list[Element] = []
        self._elements = 0
        self._characters = 0

    def taken(self) -> list[Element]:
        finished, self._finished = self._finished, []
        return finished

    def doctype(self, *_: object) -> None:
        raise SourceInvalid("a document with a DOCTYPE")

    def start(self, tag: str, _attributes: object) -> None:
        if len(self._open) >= self._limits.depth:
            raise SourceInvalid(f"nested deeper than {self._limits.depth} elements")
        name = tag.rpartition("}")[2]
        parent = self._open[-1] if self._open else None
        self._open.append(_UNWANTED if parent is _UNWANTED else self._opened(parent, name))

    def data(self, text: str) -> None:
        element = self._open[-1]
        if element is _WRAPPER or element is _UNWANTED:
            return
        self._characters += len(text)
        if self._characters > self._limits.characters:
            raise SourceInvalid(f"a record of more than {self._limits.characters} characters")
        element.texts.append(text)

    def end(self, _tag: str) -> None:
        element = self._open.pop()
        if element is not _WRAPPER and self._open[-1] is _WRAPPER:
            self._finished.append(element)

    def close(self) -> None:
        """The parser asks for a result; ours has been taken already."""

    def _opened(self, parent: Element | None, name: str) -> Element:
        if parent is None:
            return _root(name)
        if parent is _WRAPPER:
            return self._outermost(name)
        if parent.name == RECORD and name not in self._wanted and self._open[-2] is _WRAPPER:
            return _UNWANTED
        self._elements += 1
        if self._elements > self._limits.elements:
            raise SourceInvalid(f"a record of more than {self._limits.elements} elements")
        element = Element(name)
        parent.children.append(element)
        return element

    def _outermost(self, name: str) -> Element:
        self.sections.add(name)
        if name == COLLECTION and len(self._open) == 1:
            return _WRAPPER
        self._elements = self._characters = 0
        return Element(name)


def _root(name: str) -> Element:
    if name != ROOT:
        raise SourceInvalid("not a Response")
    return _WRAPPER


def _not_well_formed(error: etree.XMLSyntaxError) -> SourceInvalid:
    """The error's own message may quote the document, so only its place goes on."""
    row, column = error.position
    return SourceInvalid(f"not well-formed at line {row}, column {column}")
