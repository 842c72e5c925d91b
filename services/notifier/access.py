"""Which tenant a request may see: the one place to ask.

For now that is whichever it names. So the notifier listens on 127.0.0.1 unless it is told otherwise, and what stands in
front of it, such as the portal's own backend, has to know who asks. Tokens bound to a tenant will be checked here.
"""

from urllib.parse import unquote

from pydantic import TypeAdapter, ValidationError
from starlette.requests import Request

from schemas.fields import TenantId
from services.notifier.problems import Problem

_tenant: TypeAdapter[str] = TypeAdapter(TenantId)


def tenant_of(request: Request) -> str:
    """The tenant whose rows the request may see. Raises `Problem`."""
    named = unquote(request.path_params["tenant_id"])
    try:
        return _tenant.validate_python(named, strict=True)
    except ValidationError:
        raise Problem(404, "no-such-tenant", "A tenant's id is 1 to 64 visible ASCII characters.") from None
