"""
What can go wrong between us and Xero Practice Manager.

    XpmError
    ├── NotConnected          not_connected        nobody has connected this practice
    ├── ReconnectRequired     reconnect_required   the token is no longer accepted (401)
    ├── Forbidden             forbidden            the token does not reach the practice (403)
    ├── ClientNotFound        client_not_found     no such client (ERROR with HTTP 200, or 404)
    └── Passing                                    asking again later may help
        ├── Throttled         source_unavailable   too many calls (429); says until when
        ├── SourceUnavailable source_unavailable   down or slow (5xx, time-outs, no connection)
        │   └── ConnectionLost source_unavailable  cut off in the middle
        └── SourceInvalid     source_invalid       an answer that cannot be read

`reason` is the code under which an import fails, `sentence` what a person can do about it; `wait_reason` is what an
import says that waits for a `Passing` error. Messages hold no personal data: nothing of a document is ever quoted.
"""

from datetime import datetime
from typing import ClassVar, Literal

from schemas.imports import FailureReason, WaitReason

ThrottleKind = Literal["minute", "day", "concurrent", "appminute", "unknown"]


class XpmError(Exception):
    """
    The root of the family.

    `detail` is for logs and says what was seen, such as "HTTP 403"; `correlation_id` is Xero's name for the call, which
    its support asks for.
    """

    reason: ClassVar[FailureReason]
    sentence: ClassVar[str]

    def __init__(self, detail: str = "", *, correlation_id: str | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.correlation_id = correlation_id

    def __str__(self) -> str:
        known = (self.reason, self.detail, self.correlation_id and f"correlation id {self.correlation_id}")
        return ", ".join(part for part in known if part)


class NotConnected(XpmError):
    """Nobody has connected the practice: final until somebody does."""

    reason = "not_connected"
    sentence = (
        "Xero Practice Manager is not connected. Connect it in the Integrations area, then import again."
    )


class ReconnectRequired(XpmError):
    """Xero does not accept the token: final until somebody signs in at Xero again."""

    reason = "reconnect_required"
    sentence = (
        "Xero no longer accepts the connection to Xero Practice Manager. "
        "Reconnect it in the Integrations area, then import again."
    )


class Forbidden(XpmError):
    """The token is good, but not for this practice or this kind of data: final until somebody changes rights."""

    reason = "forbidden"
    sentence = (
        "Xero Practice Manager refused access to this practice. Check that it is still connected, and that whoever "
        'connected it has the privilege "Connect third-party add-ons", then import again.'
    )


class ClientNotFound(XpmError):
    """XPM has no client of this id: final, because ids do not come back."""

    reason = "client_not_found"
    sentence = (
        "Xero Practice Manager no longer has this client: it may have been removed or merged into another. "
        "Find it there, and link the client again."
    )


class Passing(XpmError):
    """Errors that may be gone when the same is asked again later."""

    wait_reason: WaitReason


class Throttled(Passing):
    """
    Too many calls. Ask again at `until` (UTC), `retry_after` seconds after the answer came; not earlier.

    It is `foreseen` where the call was not made, since XPM would have refused it.
    """

    reason = "source_unavailable"
    sentence = (
        "Xero's limit on calls for this practice stayed used up. Import again later; Xero allows more calls every "
        "minute and every day."
    )

    def __init__(
        self,
        kind: ThrottleKind,
        until: datetime,
        retry_after: float,
        *,
        foreseen: bool = False,
        correlation_id: str | None = None,
    ) -> None:
        seen = "not asked" if foreseen else "HTTP 429"
        super().__init__(f"{seen}, {kind} limit", correlation_id=correlation_id)
        self.kind = kind
        self.until = until
        self.retry_after = retry_after
        self.wait_reason = "quota_day" if kind == "day" else "quota_minute"


class SourceUnavailable(Passing):
    """XPM did not answer, or not to the end. `retry_after` is how many seconds it asked us to wait, if it did."""

    reason = "source_unavailable"
    wait_reason = "source_unavailable"
    sentence = (
        "Xero Practice Manager could not be reached. "
        "Import again later; status.xero.com says whether Xero has a problem."
    )

    def __init__(
        self, detail: str = "", *, retry_after: float | None = None, correlation_id: str | None = None
    ) -> None:
        super().__init__(detail, correlation_id=correlation_id)
        self.retry_after = retry_after


class ConnectionLost(SourceUnavailable):
    """The connection broke after the call was made. Reading changes nothing, so asking at once again is harmless."""


class SourceInvalid(Passing):
    """XPM answered with something it never promised: no XML, broken, hostile, too large, about another client."""

    reason = "source_invalid"
    wait_reason = "source_invalid"
    sentence = (
        "Xero Practice Manager gave an answer that could not be read, so nothing was imported. Import again later; "
        "if it happens again, tell support."
    )
