"""What the Xero API says besides XML: problems as JSON, an empty 429, and the headers that go with each."""

import itertools
import math
from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from typing import Literal
from uuid import uuid4

from starlette.responses import JSONResponse, Response, StreamingResponse

from sandbox.camel import in_camel_case
from sandbox.quota import Problem

_XML = "text/xml; charset=utf-8"

BROKEN = '<Response api-method="Get"><Status>OK</Status><Client><UUID>1d44f4b8</Client></Response>'
_LAUGHS = "".join(
    f'  <!ENTITY {name} "{f"&{before};" * 10}">\n' for before, name in itertools.pairwise("abcdefghij")
)
BOMB = f"""<!DOCTYPE Response [
  <!ENTITY a "boom">
{_LAUGHS}]>
<Response api-method="Get"><Status>OK</Status><Client><Name>&j;</Name></Client></Response>"""
"""Four thousand million characters, for whoever expands entities."""


def xml(content: str) -> Response:
    return Response(content, media_type=_XML)


def xml_stream(pieces: Iterator[str]) -> Response:
    return StreamingResponse(_by_the_hundred(pieces), media_type=_XML)


async def _by_the_hundred(pieces: Iterator[str]) -> AsyncIterator[str]:
    while batch := "".join(itertools.islice(pieces, 100)):
        yield batch


def in_form(form: Literal["xml", "json"], pieces: Iterator[str]) -> Response:
    """An answer that is printed as XML, in that form."""
    return (
        xml_stream(pieces)
        if form == "xml"
        else Response(in_camel_case(pieces), media_type="application/json")
    )


def unfit(description: str) -> Response:
    """What the official description says of bad arguments to the paged methods."""
    return JSONResponse({"status": "ERROR", "errorDescription": description}, 400)


def not_there(description: str) -> Response:
    """What it says of an unknown id."""
    return JSONResponse({"status": "ERROR", "errorDescription": description}, 404)


def unauthorized() -> Response:
    """The recorded answer to a token that is missing or not known; it carries no rate headers."""
    headers = {"www-authenticate": "Bearer error=invalid_token"}
    return _problem(401, "Unauthorized", "AuthenticationUnsuccessful", headers)


def expired(at: datetime) -> Response:
    """The recorded answer to a token whose time is over, with the date in the American order."""
    headers = {"www-authenticate": "Bearer error=invalid_token"}
    return _problem(401, "Unauthorized", f"TokenExpired: token expired at {at:%m/%d/%Y %H:%M:%S}", headers)


def forbidden(application_remaining: int) -> Response:
    """The recorded answer to a tenant that the token does not reach; of the rate headers it has only one."""
    headers = {"x-appminlimit-remaining": str(application_remaining)}
    return _problem(403, "Forbidden", "AuthenticationUnsuccessful", headers)


def unavailable() -> Response:
    return _problem(503, "ServiceUnavailable", "ServiceNotAvailable", {})


def garbage() -> Response:
    """A server error whose body is not even what its header says."""
    return Response(b'{Status":500}\x00\xff<html>', 500, media_type="application/json")


def throttled(problem: Problem, retry_after: float | None) -> Response:
    """Too many calls: nothing but headers."""
    headers: dict[str, str] = {"x-rate-limit-problem": problem}
    if problem in ("minute", "day"):
        headers[f"x-{problem[:3]}limit-remaining"] = "0"
    if retry_after is not None:
        headers["retry-after"] = str(math.ceil(retry_after))
    return Response(status_code=429, headers=headers)


def _problem(status: int, title: str, detail: str, headers: dict[str, str]) -> Response:
    problem: dict[str, object] = {
        "Type": None,
        "Title": title,
        "Status": status,
        "Detail": detail,
        "Instance": str(uuid4()),
        "Extensions": {},
    }
    return JSONResponse(problem, status, headers)
