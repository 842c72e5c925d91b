"""Consenting at the sandbox as a person does in a browser: open the page, tick a practice, allow, and come back."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urljoin, urlsplit, urlunsplit

import httpx
from lxml import html

USER = "anna@harbour-and-hill.example"


class NoConsent(Exception):
    """The sandbox or the importer sent the browser nowhere; the message says what it showed instead."""


class Browser:
    """
    A browser without a screen.

    `reached` maps addresses that are meant for people's browsers to those at which the same servers are reached from
    here, as from within a container.
    """

    def __init__(self, http: httpx.AsyncClient, reached: dict[str, str] | None = None) -> None:
        self._http = http
        self._reached = reached or {}

    async def consent(
        self, authorize_url: str, practices: Sequence[str], user: str = USER, *, allow: bool = True
    ) -> str:
        """Where the browser ends up: the portal's address with what came of it. Raises `NoConsent`."""
        page = await self._http.get(self._from_here(authorize_url))
        if page.has_redirect_location:
            return await self._come_back(page)
        form = html.fromstring(page.text).find(".//form")
        if page.status_code != httpx.codes.OK or form is None:
            raise NoConsent(_words(page))
        hidden = form.iterfind(".//input[@type='hidden']")
        fields: dict[str, Any] = {each.get("name", ""): each.get("value", "") for each in hidden}
        fields |= {"user": user, "practice": list(practices), "answer": "allow" if allow else "cancel"}
        answer = await self._http.post(urljoin(str(page.url), form.get("action", "")), data=fields)
        return await self._come_back(answer)

    async def _come_back(self, answer: httpx.Response) -> str:
        back = await self._http.get(self._from_here(_location(answer)))
        return _location(back)

    def _from_here(self, address: str) -> str:
        parts = urlsplit(address)
        meant = urlunsplit((parts.scheme, parts.netloc, "", "", ""))
        return address.replace(meant, self._reached.get(meant, meant), 1)


def _location(answer: httpx.Response) -> str:
    if not answer.has_redirect_location:
        raise NoConsent(_words(answer))
    return answer.headers["location"]


def _words(answer: httpx.Response) -> str:
    """What a page says."""
    page = html.fromstring(answer.text or "<p>nothing</p>")
    return " ".join(" ".join(str(text) for text in page.itertext()).split())
