"""Connecting, as far as it is decided without asking anybody."""

from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from cryptography.fernet import Fernet
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from services.importer.connecting.application import (
    Attempt,
    challenge_of,
    may_return_to,
    with_parameters,
    with_result,
)
from services.importer.connecting.identity import Identity
from services.importer.connecting.keyring import CannotOpen, Keyring
from services.importer.settings import ImporterSettings
from services.importer.xpm.errors import SourceInvalid

ONE, TWO = (Fernet.generate_key().decode() for _ in range(2))


def test_the_challenge_is_that_of_the_standard() -> None:
    """The example of RFC 7636, appendix B."""
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    assert challenge_of(verifier) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


def test_no_attempt_can_be_guessed_or_read_in_a_log() -> None:
    attempts = [Attempt() for _ in range(50)]
    assert len({attempt.state for attempt in attempts}) == 50
    assert all(43 <= len(attempt.verifier) <= 128 for attempt in attempts)
    assert attempts[0].state not in repr(attempts[0])


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        ("https://portal.example", True),
        ("https://portal.example/integrations?a=b", True),
        ("https://portal.example:443/", True),
        ("https://portal.example.evil.example/", False),
        ("https://portal.example@evil.example/", False),
        ("https://evil.example/https://portal.example", False),
        ("http://portal.example/", False),
        ("https://portal.example:8443/", False),
        ("https://shared.example/muster/integrations", True),
        ("https://shared.example/musterious", False),
        ("https://shared.example/muster/../other", False),
        ("https://shared.example/muster/%2E%2e/other", False),
        ("http://127.0.0.1:8000/integrations", True),
        ("http://127.0.0.1\\@evil.example/", False),
        ("http://[broken/", False),
        ("javascript:alert(1)", False),
        ("", False),
    ],
)
def test_browsers_come_back_to_addresses_that_are_allowed(address: str, *, allowed: bool) -> None:
    """Same scheme, host and port, and a path below; of this machine, every port."""
    below = ("https://portal.example", "https://shared.example/muster/", "http://127.0.0.1")
    assert may_return_to(address, below) is allowed


@given(st.text(max_size=60))
def test_no_address_breaks_the_question(address: str) -> None:
    assert may_return_to(f"https://portal.example{address}", ("https://portal.example",)) in (True, False)


def test_the_result_stands_beside_what_the_portal_asked_to_keep() -> None:
    address = with_result(
        "https://portal.example/x?tab=1&connection=old#top", "failed", reason="access_denied"
    )
    assert address == "https://portal.example/x?tab=1&connection=failed&reason=access_denied#top"
    assert parse_qs(urlsplit(with_parameters("https://x.example/", {"a": "b&c=d"})).query) == {"a": ["b&c=d"]}


def test_any_key_opens_and_the_first_one_seals() -> None:
    sealed = Keyring([ONE]).seal("t1", {"access": "a", "refresh": None})
    both = Keyring([TWO, ONE])
    assert both.open("t1", sealed) == {"access": "a", "refresh": None}
    anew = both.resealed(sealed)
    assert anew is not None
    assert Keyring([TWO]).open("t1", anew) == {"access": "a", "refresh": None}
    assert both.resealed(anew) is None


def test_nothing_opens_without_its_key_or_for_another_tenant() -> None:
    keyring = Keyring([ONE])
    sealed = keyring.seal("t1", {"access": "a"})
    for broken in (lambda: keyring.open("t2", sealed), lambda: Keyring([TWO]).open("t1", sealed)):
        with pytest.raises(CannotOpen):
            broken()
    with pytest.raises(CannotOpen):
        keyring.open("t1", sealed[:-2])


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"http_host": "0.0.0.0"}, "MUSTER_INTERNAL_TOKEN"),
        ({"internal_token": "short"}, "too short"),
        ({"xpm_client_id": "muster"}, "belong together"),
        ({"xpm_token_keys": "not a key"}, "xpm-keys --new"),
    ],
)
def test_settings_that_cannot_work_are_refused_with_a_sentence(wrong: dict[str, str], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        ImporterSettings(**wrong)


@pytest.mark.parametrize("life", ["1e999", "-1", "0", "1e20", "true", '"1800"', "null"])
async def test_tokens_whose_life_makes_no_sense_are_no_tokens(life: str) -> None:
    """Whatever the token service says, it is tokens or an error of the family."""
    answer = httpx.Response(200, text=f'{{"access_token": "a", "refresh_token": "r", "expires_in": {life}}}')
    http = httpx.AsyncClient(transport=httpx.MockTransport(lambda _: answer))
    settings = ImporterSettings(
        xpm_client_id="m", xpm_client_secret="s", xpm_redirect_url="http://127.0.0.1/", xpm_token_keys=ONE
    )
    assert settings.application is not None
    with pytest.raises(SourceInvalid):
        await Identity(http, settings.application).refresh("r")
