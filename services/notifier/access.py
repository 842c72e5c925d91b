"""Which tenant a request may see: the one place to ask.

A request carries a signed token for one tenant (`worker/tokens.py`). What it names in its path has to be that tenant;
another one is answered as if the token were none, so that nobody learns which tenants there are.
"""

from urllib.parse import unquote

from starlette.requests import Request

from services.notifier import metrics
from services.notifier.problems import Problem
from worker.tokens import NOTIFIER, BadToken, Tokens, bearer

REFUSED = Problem(401, "no-token", "Send a token that is good for this tenant: `Authorization: Bearer ...`.")


class Access:
    """Knows who may see what."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens

    def tenant_of(self, request: Request) -> str:
        """The tenant whose rows the request may see. Raises `Problem`."""
        token = bearer(request.headers)
        if token is None:
            raise REFUSED
        try:
            tenant_id: str = self._tokens.read(token, NOTIFIER)["tenant"]
        except BadToken:
            metrics.REFUSED.labels("bad_token").inc()
            raise REFUSED from None
        if unquote(request.path_params["tenant_id"]) != tenant_id:
            metrics.REFUSED.labels("other_tenant").inc()
            raise REFUSED
        return tenant_id
