"""The link to the next page, of which no public source shows one that a parser would take."""

import re
from html import unescape
from urllib.parse import unquote

from services.importer.xpm.errors import SourceInvalid

_LINK = re.compile(rb"<(?:First|Next|Previous|Last)>[^<]*")
_BARE = re.compile(rb"&(?!(?:[A-Za-z]+|#[0-9]+|#x[0-9A-Fa-f]+);)")
_TOKEN = re.compile(r"[?&]pageToken=([^&#\s]+)", re.IGNORECASE)
_LONGEST = 2_000


def with_escaped_links(document: bytes) -> bytes:
    """The document with bare ampersands in its links escaped, as the documentation prints them; all else as it is."""
    return _LINK.sub(lambda link: _BARE.sub(b"&amp;", link[0]), document)


def page_token(link: str) -> str | None:
    """
    The token in a link, also where its ampersand was escaped twice; a plus stands for itself.

    Raises `SourceInvalid` for one that cannot be asked with.
    """
    found = _TOKEN.search(unescape(link))
    token = unquote(found[1]) if found else None
    if token is not None and len(token) > _LONGEST:
        raise SourceInvalid(f"a page token of more than {_LONGEST} characters")
    return token
