"""Which tenant a request may see: the one place to ask.

A request carries a signed token for one tenant (`worker/tokens.py`). What it names in its path has to be that tenant;
another one is answered as if the token were none, so that nobody learns which tenants there are.
"""

from typing import NamedTuple
from urllib.parse import unquote

from starlette.requests import Request

from services.notifier import metrics
from worker.problems import Problem
from worker.tokens import NOTIFIER, BadToken, Tokens, bearer

REFUSED = Problem(401, "no-token", "Send a token that is good for this tenant: `Authorization: Bearer ...`.")


class Bearer(NamedTuple):
    """Whose rows may be seen, and until when, in seconds since 1970."""

    tenant_id: str
    until: float


class Access:
    """Knows who may see what."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens

    def tenant_of(self, request: Request) -> str:
        """The tenant whose rows the request may see. Raises `Problem`."""
        return self.bearer_of(request).tenant_id

    def bearer_of(self, request: Request) -> Bearer:
        """The tenant whose rows the request may see, and for how long. Raises `Problem`."""
        token = bearer(request.headers)
        if token is None:
            raise REFUSED
        try:
            claims = self._tokens.read(token, NOTIFIER)
        except BadToken:
            metrics.REFUSED.labels("bad_token").inc()
            raise REFUSED from None
        if unquote(request.path_params["tenant_id"]) != claims["tenant"]:
            metrics.REFUSED.labels("other_tenant").inc()
            raise REFUSED
        return Bearer(claims["tenant"], float(claims["exp"]))
