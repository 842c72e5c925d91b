"""The encoding that a header names, made UTF-8: it outranks what the document says of itself."""

import codecs
from collections.abc import Callable

from services.importer.xpm.errors import SourceInvalid

_BOM = codecs.BOM_UTF8
"""In front of a document it outranks the encoding of an XML declaration."""

Recoder = Callable[[bytes], bytes]


def recoder(charset: str | None) -> Recoder:
    """What turns pieces of a text in that encoding into UTF-8; those of an unknown one stay as they are.

    It raises `SourceInvalid` for bytes that the encoding does not have.
    """
    try:
        known = codecs.lookup(charset or "utf-8")
    except (LookupError, ValueError):
        return _as_it_is
    if known.name in ("utf-8", "ascii") or not getattr(known, "_is_text_encoding", True):
        return _as_it_is
    decoder = known.incrementaldecoder()
    begun = False

    def recode(piece: bytes) -> bytes:
        nonlocal begun
        try:
            text = decoder.decode(piece)
        except UnicodeError:
            raise SourceInvalid("text that is not in the encoding it says it has") from None
        head, begun = (b"" if begun else _BOM), True
        return head + text.encode("utf-8", "replace")

    return recode


def _as_it_is(piece: bytes) -> bytes:
    return piece
