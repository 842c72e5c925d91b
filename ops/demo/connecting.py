"""Connecting the demo's practice to the sandbox's, through the same doors as a portal and a person."""

from dataclasses import dataclass, field
from urllib.parse import parse_qs, quote, urlsplit

import httpx
from pydantic import SecretStr

from ops.demo.consenting import Browser, NoConsent
from ops.demo.trust import certificates
from sandbox import harbour

RETURN_URL = "http://127.0.0.1/integrations"
SECONDS = 30.0


class NotConnected(Exception):
    """The practice could not be connected; the message says what the importer or the sandbox answered."""


@dataclass(frozen=True, slots=True)
class Importer:
    """Where the importer's internal HTTP is reached, and what it asks for."""

    address: str
    token: SecretStr | None = field(default=None)

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token.get_secret_value()}"} if self.token else {}


async def connect(importer: Importer, sandbox: str, tenant_id: str, staff: str) -> str:
    """Connect the tenant to Harbour & Hill, unless it is; returns what was done. Raises `NotConnected`."""
    path = f"/internal/tenants/{quote(tenant_id, safe='')}/connection"
    async with (
        httpx.AsyncClient(
            base_url=importer.address, headers=importer.headers, timeout=SECONDS, verify=certificates()
        ) as api,
        httpx.AsyncClient(timeout=SECONDS, verify=certificates()) as web,
    ):
        if _said(await api.get(path))["state"] == "connected":
            return "It is connected already"
        asked = {"return_url": RETURN_URL, "requested_by": staff}
        begun = _said(await api.post(f"{path}/authorize", json=asked))
        address = begun["authorize_url"]
        try:
            came_back = await _browser(web, address, sandbox, importer).consent(address, [harbour.TENANT_ID])
        except NoConsent as error:
            raise NotConnected(str(error)) from error
        brought = {"ticket": ticket_of(came_back), "proof": begun["proof"]}
        result = _said(await api.post(f"{path}/complete", json=brought))
    if result["connection"] != "connected":
        raise NotConnected(f"Xero's consent came to {result}")
    return "Consented to at the sandbox"


def ticket_of(came_back: str) -> str:
    """The ticket in the address at which a browser came back. Raises `NotConnected`."""
    query = urlsplit(came_back).query
    if "ticket" not in (said := parse_qs(query)):
        raise NotConnected(f"Xero's consent came back with {query}")
    return said["ticket"][0]


def _browser(web: httpx.AsyncClient, address: str, sandbox: str, importer: Importer) -> Browser:
    """The addresses are those for people's browsers; from within a container the same servers are elsewhere."""
    back = parse_qs(urlsplit(address).query)["redirect_uri"][0]
    return Browser(web, {_origin(address): sandbox, _origin(back): importer.address})


def _origin(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"


def _said(answer: httpx.Response) -> dict[str, str]:
    if not answer.is_success:
        raise NotConnected(f"The importer answered with HTTP {answer.status_code}: {answer.text}")
    said: dict[str, str] = answer.json()
    return said
