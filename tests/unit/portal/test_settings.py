"""What the portal refuses to start with."""

import pytest
from pydantic import SecretStr, ValidationError

from services.portal.settings import PortalSettings

KEY = SecretStr("a-key-of-thirty-two-characters-or-more")
OIDC = {"oidc_issuer": "https://sign-in.example", "oidc_client_id": "muster", "oidc_client_secret": KEY}


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({}, "nobody could sign in"),
        (OIDC, "MUSTER_SESSION_KEY is missing"),
        ({**OIDC, "session_key": SecretStr("short")}, "too short"),
        ({"demo": True, "oidc_issuer": "https://sign-in.example"}, "belong together"),
        ({"demo": True, "path_prefix": "muster/"}, "path_prefix"),
    ],
)
def test_a_portal_that_could_not_be_safe_does_not_start(given, complaint) -> None:
    """Demo users are refused outside demo mode, and sessions need a key."""
    with pytest.raises(ValidationError, match=complaint):
        PortalSettings(**given)


def test_what_is_whole_starts() -> None:
    """By OpenID Connect, or in demo mode."""
    assert PortalSettings(**OIDC, session_key=KEY).signs_in_by_oidc
    assert not PortalSettings(demo=True).signs_in_by_oidc
