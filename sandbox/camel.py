"""XML answers said again as JSON in camelCase, as an official description of the API had them for a fortnight."""

from collections.abc import Iterable
from typing import Any

import orjson
from lxml import etree

_COLLECTIONS = {
    "Clients": "Client",
    "Contacts": "Contact",
    "Notes": "Note",
    "Groups": "Group",
    "Relationships": "Relationship",
    "StaffList": "Staff",
}
_NUMBERS = {"Percentage": float, "NumberOfShares": int}


def in_camel_case(pieces: Iterable[str]) -> bytes:
    """One JSON document; it is made of the whole XML at once, so it is not for lists without end."""
    return orjson.dumps(_object(etree.fromstring("".join(pieces).encode())))


def _object(element: etree._Element) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for child in element:
        found.setdefault(_camel(_name(child)), _value(child))
    return found


def _value(element: etree._Element) -> Any:
    name = _name(element)
    if name in _COLLECTIONS and all(_name(child) == _COLLECTIONS[name] for child in element):
        return [_object(child) for child in element]
    if len(element):
        return _object(element)
    text = element.text or ""
    return _NUMBERS[name](text) if text and name in _NUMBERS else text


def _camel(name: str) -> str:
    return name.lower() if name.isupper() else name[0].lower() + name[1:]


def _name(element: etree._Element) -> str:
    return etree.QName(element).localname
