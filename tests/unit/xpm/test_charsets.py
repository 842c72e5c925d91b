"""The charset of a header outranks what a document says of itself, as the standard for XML over HTTP has it."""

import httpx
import pytest

from services.importer.xpm.errors import SourceInvalid
from tests.support.xpm.scripted import xpm

DOCUMENT = "<Response><Status>OK</Status><Client><UUID>1</UUID><Name>Zoë Łuk</Name></Client></Response>"


def answer(encoding: str, charset: str, declared: str | None = None) -> httpx.Response:
    declaration = f'<?xml version="1.0" encoding="{declared}"?>' if declared else ""
    content = (declaration + DOCUMENT).encode(encoding)
    return httpx.Response(200, content=content, headers={"content-type": f"text/xml{charset}"})


@pytest.mark.parametrize("declared", [None, "us-ascii", "utf-16"])
@pytest.mark.parametrize("encoding", ["iso-8859-2", "windows-1250", "utf-16", "utf-16-le"])
async def test_the_header_decides(encoding, declared):
    """Whatever the declaration says, if there is one."""
    client = await xpm(answer(encoding, f"; charset={encoding}", declared)).read_client("1")

    assert client.details.name == "Zoë Łuk"


@pytest.mark.parametrize(
    "charset", ["", "; charset=", "; charset=x-unknown", "; charset=base64", "; charset=us-ascii"]
)
@pytest.mark.parametrize("declared", [None, "utf-8"])
async def test_without_a_charset_that_helps_the_document_decides(charset, declared):
    """And that is UTF-8 unless it says otherwise."""
    assert (await xpm(answer("utf-8", charset, declared)).read_client("1")).details.name == "Zoë Łuk"
    assert (await xpm(answer("iso-8859-2", charset, "iso-8859-2")).read_client("1")).details.name == "Zoë Łuk"


@pytest.mark.parametrize(("encoding", "charset"), [("iso-8859-2", "utf-8"), ("iso-8859-2", "utf-16")])
async def test_text_in_another_encoding_than_it_says_is_invalid(encoding, charset):
    """Rather than names with wrong letters."""
    with pytest.raises(SourceInvalid):
        await xpm(answer(encoding, f"; charset={charset}")).read_client("1")
