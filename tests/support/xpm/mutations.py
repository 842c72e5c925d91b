"""Answers of XPM, spoilt in ways that networks, proxies, encodings and enemies spoil them."""

import re
from collections.abc import Callable
from random import Random

_TEXT = re.compile(rb'(?:>|":")([^<>"{}]*)(?:<|")')
_ELEMENT = re.compile(rb"<(\w+)>[^<]*</\1>")

Mutation = Callable[[Random, bytes], bytes]

TOKENS = (
    b"<", b">", b"</", b"/>", b"&", b"&amp;", b"&#0;", b"&#x10FFFF;", b"&#xD800;", b"&undeclared;", b"]]>",
    b"<![CDATA[", b"<!--", b"-->", b"--", b"<?xml version='1.0' encoding='utf-16'?>", b"<?x y?>",
    b"<!DOCTYPE Response>", b"<!DOCTYPE a [<!ENTITY b 'c'>]>", b"<!DOCTYPE a SYSTEM 'file:///etc/passwd'>",
    b"\x00", b"\xff", b"\xfe\xff", b"\xef\xbb\xbf", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\x85",
    b"\x1b", b"\r", b"\n", b'"', b"'", b"=", b"<Client>", b"</Client>", b"<Clients>", b"</Clients>", b"<Response>",
    b"</Response>", b"<Status>ERROR</Status>", b"<Relationships>", b"<Relationship>", b"</Relationship>",
    b"<RelatedClient>", b"<UUID>", b"</UUID>", b"<UUID/>", b"<x:y xmlns:x='z'>", b" xmlns='z'", b"{", b"}", b"[", b"]",
    b",", b":", b"null", b"true", b"\\ud800", b"\\u0000", b"1e999", b"-0", b"99999999999999999999", b"\xe2\x80\xa8",
)  # fmt: skip
TEXTS = (
    b"", b" ", b"\n", b"&amp;", b"&#xD;", b"&#xFFFD;", b"\xe2\x80\xa8", b"\xc2\x85", b"0001-01-01", b"9999-99-99",
    b"20240230", b"2024-06-30T25:61:00", b"Yes", b"maybe", b"-1", b"1e9", b"0.0000001", b"33.33%", b"1,000",
    b"99999999999999999999", b"a@b", b"a@b.example; c@d.example", b"../../staff.api/list", b"\xf0\x9f\xa6\x8a",
    b"x" * 400, b"\xd9\xa3", b"http://x?pageToken=%ff", b"http://[x?pageToken=&", b"<UUID>1</UUID>",
)  # fmt: skip
ENCODINGS = ("utf-16", "utf-16-le", "utf-32", "cp1252", "utf-7", "latin-1", "cp037")


def spoilt(luck: Random, document: bytes, other: bytes) -> bytes:
    """The document after some mutations, most often one; `other` is one that parts are taken from."""
    for _ in range(luck.choice((1, 1, 1, 2, 3, 8))):
        mutation = luck.choice(_MUTATIONS)
        document = _spliced(luck, document, other) if mutation is None else mutation(luck, document)
    return document


def _text_changed(luck: Random, data: bytes) -> bytes:
    """Another text where there was one, so that the document stays well-formed."""
    places = list(_TEXT.finditer(data))
    if not places:
        return data
    found = luck.choice(places)
    return data[: found.start(1)] + luck.choice(TEXTS) + data[found.end(1) :]


def _element_moved(luck: Random, data: bytes) -> bytes:
    """A whole element is left out, comes twice, or stands somewhere else."""
    places = list(_ELEMENT.finditer(data))
    if not places:
        return data
    found, to = luck.choice(places), luck.choice(places)
    kept = luck.choice((b"", found[0], found[0] * 2, found[0].replace(b"><", b"> <!-- --> <")))
    data = data[: found.start()] + kept + data[found.end() :]
    return (
        data[: to.start()] + found[0] + data[to.start() :]
        if luck.random() < 0.5 and to.end() < found.start()
        else data
    )


def _place(luck: Random, data: bytes) -> tuple[int, int]:
    start = luck.randint(0, len(data))
    return start, min(len(data), start + int(luck.paretovariate(0.7)))


def _cut_out(luck: Random, data: bytes) -> bytes:
    start, end = _place(luck, data)
    return data[:start] + data[end:]


def _cut_short(luck: Random, data: bytes) -> bytes:
    return data[: luck.randint(0, len(data))]


def _said_twice(luck: Random, data: bytes) -> bytes:
    start, end = _place(luck, data)
    return data[:end] + data[start:end] * luck.randint(1, 3) + data[end:]


def _swapped(luck: Random, data: bytes) -> bytes:
    first, second = sorted((_place(luck, data), _place(luck, data)))
    if first[1] > second[0]:
        return data
    return (
        data[: first[0]]
        + data[slice(*second)]
        + data[first[1] : second[0]]
        + data[slice(*first)]
        + data[second[1] :]
    )


def _bit_flipped(luck: Random, data: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(luck.randint(1, 4)):
        if changed:
            changed[luck.randrange(len(changed))] ^= 1 << luck.randrange(8)
    return bytes(changed)


def _token_put_in(luck: Random, data: bytes) -> bytes:
    at = luck.randint(0, len(data))
    return data[:at] + luck.choice(TOKENS) * luck.choice((1, 1, 1, 2, 50)) + data[at:]


def _noise_put_in(luck: Random, data: bytes) -> bytes:
    start, end = _place(luck, data)
    return data[:start] + luck.randbytes(min(end - start, 200)) + data[end:]


def _bracket_dropped(luck: Random, data: bytes) -> bytes:
    """A tag, a quote or a bracket is lost."""
    at = data.find(luck.choice((b"<", b">", b'"', b"}", b"]")), luck.randint(0, len(data)))
    return data if at < 0 else data[:at] + data[at + 1 :]


def _nested(luck: Random, data: bytes) -> bytes:
    depth, at = luck.choice((5, 40, 300, 3_000)), luck.randint(0, len(data))
    opening, closing = luck.choice(
        ((b"<a>", b"</a>"), (b"<Client>", b"</Client>"), (b"[", b"]"), (b'{"a":', b"}"))
    )
    return data[:at] + opening * depth + closing * depth + data[at:]


def _grown(luck: Random, data: bytes) -> bytes:
    """Something becomes very long."""
    at = luck.randint(0, len(data))
    return (
        data[:at]
        + luck.choice((b"x", b" ", b"&amp;", b"9", b"\xc3\xa9", b"<b/>")) * luck.choice((200, 5_000))
        + data[at:]
    )


def _recoded(luck: Random, data: bytes) -> bytes:
    return data.decode("utf-8", "replace").encode(luck.choice(ENCODINGS), "replace")


def _spliced(luck: Random, data: bytes, other: bytes) -> bytes:
    start, end = _place(luck, other)
    at = luck.randint(0, len(data))
    return data[:at] + other[start : end + luck.randint(0, 200)] + data[at + luck.randint(0, 50) :]


_MUTATIONS: tuple[Mutation | None, ...] = (
    _text_changed,
    _text_changed,
    _text_changed,
    _element_moved,
    _element_moved,
    _element_moved,
    _cut_out,
    _cut_out,
    _cut_short,
    _said_twice,
    _swapped,
    _bit_flipped,
    _bit_flipped,
    _token_put_in,
    _token_put_in,
    _token_put_in,
    _noise_put_in,
    _bracket_dropped,
    _nested,
    _grown,
    _recoded,
    None,
)
