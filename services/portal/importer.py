"""The importer's internal HTTP API: the practice's connection to XPM, and XPM's clients."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Any, Literal
from urllib.parse import quote

import httpx
import structlog
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from services.portal.problems import not_there
from worker.failures import describe
from worker.problems import Problem, unavailable

log = structlog.get_logger(__name__)

SECONDS = 30.0
"""As long as XPM may take to answer a search."""
STATE_SECONDS = 5.0
"""For what the importer knows by itself."""

NO_ANSWER = "Xero Practice Manager can't be reached at the moment; try again in a moment."
PRACTICE_TAKEN = "Another practice of this portal is connected to that practice in Xero Practice Manager."
REASONS: Mapping[str, tuple[int, str]] = {
    "not_connected": (409, "The practice is not connected to Xero Practice Manager."),
    "reconnect_required": (409, "The practice has to be connected to Xero Practice Manager again."),
    "forbidden": (
        409,
        "This connection may not read clients in Xero Practice Manager: ask an administrator there.",
    ),
    "source_unavailable": (
        503,
        "Xero Practice Manager does not answer at the moment; try again in a moment.",
    ),
    "source_invalid": (502, "Xero Practice Manager sent something unreadable."),
    "quota_minute": (503, "Xero's limit per minute is used up; try again in a moment."),
    "quota_day": (503, "Xero's limit per day is used up; try again later."),
    "not-configured": (
        409,
        "Practices can't be connected yet: an administrator has to give the importer its access to Xero.",
    ),
    "practice-taken": (409, PRACTICE_TAKEN),
    "no-such-practice": (409, "That practice can't be chosen any more: connect again."),
    "given": (
        409,
        "An administrator has set this practice's connection up, and only they can change it.",
    ),
}
"""What the importer says is wrong, by its `reason` or else by the kind of problem: our status, our sentence."""


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Practice(_Answer):
    """One of the XPM practices that a consent gave access to."""

    connection_id: str
    practice_name: str


class Connection(_Answer):
    """How the practice stands with XPM. `practices` is there while one of several is to be chosen."""

    state: Literal["not_connected", "choose_practice", "connected", "reconnect_required"]
    connection_id: str | None = None
    practice_name: str | None = None
    changed_at: str | None = None
    practices: list[Practice] = Field(default_factory=list)


class XpmClient(_Answer):
    """A client as XPM has it."""

    xpm_client_id: str
    name: str
    email: str | None = None
    business_structure: str | None = None
    archived: bool = False


class _Clients(_Answer):
    clients: list[XpmClient]


class Begun(_Answer):
    """Where the browser goes to consent, and what its session has to keep until it is back."""

    authorize_url: Annotated[str, Field(pattern=r"^https?://")]
    proof: str = Field(repr=False)


class Outcome(_Answer):
    """What an attempt to connect came to; `reason` says why it failed."""

    connection: Literal["connected", "choose_practice", "failed"]
    reason: str | None = None


class Importer:
    """Asks the importer on behalf of one tenant at a time."""

    def __init__(self, http: httpx.AsyncClient, token: SecretStr | None) -> None:
        self._http = http
        self._token = token

    async def connection(self, tenant_id: str) -> Connection:
        """How the practice stands with XPM. Raises `Problem` where the importer does not answer."""
        state = await self._ask("GET", f"{_of(tenant_id)}/connection", timeout=STATE_SECONDS)
        return Connection.model_validate(state)

    async def authorize(self, tenant_id: str, return_url: str, requested_by: str) -> Begun:
        """Where the browser goes to consent; it comes back to `return_url` with a ticket."""
        body = {"return_url": return_url, "requested_by": requested_by}
        answer = await self._ask("POST", f"{_of(tenant_id)}/connection/authorize", json=body)
        return Begun.model_validate(answer)

    async def complete(self, tenant_id: str, ticket: str, proof: str) -> Outcome:
        """Connect, with what the browser came back with and what its session has kept."""
        body = {"ticket": ticket, "proof": proof}
        answer = await self._ask("POST", f"{_of(tenant_id)}/connection/complete", json=body)
        return Outcome.model_validate(answer)

    async def choose(self, tenant_id: str, connection_id: str, requested_by: str) -> None:
        """Choose among the practices that a consent gave access to."""
        body = {"connection_id": connection_id, "requested_by": requested_by}
        await self._ask("POST", f"{_of(tenant_id)}/connection/practice", json=body)

    async def disconnect(self, tenant_id: str, requested_by: str) -> None:
        """End the connection."""
        await self._ask("DELETE", f"{_of(tenant_id)}/connection", params={"requested_by": requested_by})

    async def search(self, tenant_id: str, query: str) -> list[XpmClient]:
        """XPM's clients whose name or details match."""
        answer = await self._ask("GET", f"{_of(tenant_id)}/clients", params={"query": query})
        return _Clients.model_validate(answer).clients

    async def client(self, tenant_id: str, xpm_client_id: str) -> XpmClient:
        """One of them. Raises `Problem`: not there."""
        answer = await self._ask("GET", f"{_of(tenant_id)}/clients/{quote(xpm_client_id, safe='')}")
        return XpmClient.model_validate(answer)

    async def _ask(self, method: str, path: str, timeout: float = SECONDS, **more: Any) -> Any:
        headers = {"Authorization": f"Bearer {self._token.get_secret_value()}"} if self._token else {}
        try:
            answer = await self._http.request(method, path, headers=headers, timeout=timeout, **more)
            if answer.is_success:
                return answer.json() if answer.content else None
        except (httpx.HTTPError, ValueError) as error:
            log.warning("importer_does_not_answer", error=describe(error))
            raise unavailable(NO_ANSWER) from error
        raise _refused(answer)


def _of(tenant_id: str) -> str:
    return f"/internal/tenants/{quote(tenant_id, safe='')}"


def _refused(answer: httpx.Response) -> Problem:
    """The importer's own word for what is wrong, in a sentence for staff."""
    try:
        said = answer.json()
        reason = str(said.get("reason") or said.get("type")).rpartition(":")[2]
        again_after = said.get("retry_after")
    except (ValueError, AttributeError):
        reason, again_after = "", None
    if reason in REASONS:
        status, detail = REASONS[reason]
        return Problem(
            status,
            reason,
            detail,
            again_after=int(again_after) if isinstance(again_after, int | float) else None,
        )
    if answer.status_code == HTTPStatus.NOT_FOUND:
        return not_there("client in Xero Practice Manager")
    if answer.status_code in {HTTPStatus.BAD_REQUEST, HTTPStatus.CONFLICT, HTTPStatus.UNPROCESSABLE_ENTITY}:
        return Problem(answer.status_code, "refused", "The importer refused this: load the page again.")
    log.warning("importer_refused", status=answer.status_code)
    return unavailable(NO_ANSWER)
