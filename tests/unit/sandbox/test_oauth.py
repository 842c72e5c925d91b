"""The sandbox's sign-in service: what Xero promises of codes and tokens, and what it does not forgive."""

from datetime import UTC, datetime, timedelta

import pytest

from sandbox.oauth import Application, Asked, Authority, Lives, OAuthError, challenge_of

REDIRECT = "http://127.0.0.1/callback"
PRACTICE = ("practice", "PRACTICEMANAGER", "A practice")


class Clock:
    def __init__(self) -> None:
        self.at = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at

    def passes(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def authority(clock: Clock) -> Authority:
    return Authority(clock, lives=Lives())


def asked(challenge: str | None = None, scopes: str = "offline_access practicemanager.client.read") -> Asked:
    return Asked(REDIRECT, tuple(scopes.split()), challenge)


def refused(act, *arguments) -> str:
    with pytest.raises(OAuthError) as error:
        act(*arguments)
    return error.value.code


def test_a_code_is_good_once_and_for_its_verifier(authority: Authority, clock: Clock) -> None:
    code = authority.consent("sam", asked(challenge_of("v" * 43)), [PRACTICE])
    assert refused(authority.exchange, code, REDIRECT, "w" * 43) == "invalid_grant"
    assert refused(authority.exchange, code, REDIRECT, "v" * 43) == "invalid_grant", "it was tried before"
    late = authority.consent("sam", asked(), [PRACTICE])
    clock.passes(301)
    assert refused(authority.exchange, late, REDIRECT, None) == "invalid_grant"
    elsewhere = authority.consent("sam", asked(), [PRACTICE])
    assert refused(authority.exchange, elsewhere, "http://evil.example", None) == "invalid_grant"


def test_refresh_tokens_rotate_with_a_grace_for_lost_answers(authority: Authority, clock: Clock) -> None:
    """The old one may be used again for 30 minutes, unless the new one was used meanwhile."""
    first = authority.exchange(authority.consent("sam", asked(), [PRACTICE]), REDIRECT, None).refresh
    lost = authority.refresh(first).refresh
    clock.passes(1_799)
    again = authority.refresh(first).refresh
    assert refused(authority.refresh, lost) == "invalid_grant"
    authority.refresh(again)
    assert refused(authority.refresh, first) == "invalid_grant"


def test_the_grace_and_the_life_of_a_refresh_token_end(authority: Authority, clock: Clock) -> None:
    first = authority.exchange(authority.consent("sam", asked(), [PRACTICE]), REDIRECT, None).refresh
    second = authority.refresh(first).refresh
    clock.passes(1_801)
    assert refused(authority.refresh, first) == "invalid_grant"
    clock.passes(60 * 86_400)
    assert refused(authority.refresh, second) == "invalid_grant"


def test_a_token_reaches_what_its_user_has_connected(authority: Authority, clock: Clock) -> None:
    """Over all consents of that user, and nobody else's; access ends with its time."""
    token = authority.exchange(authority.consent("sam", asked(), [PRACTICE]), REDIRECT, None).access
    authority.consent("sam", asked(), [("second", "PRACTICEMANAGER", "Another")])
    authority.consent("kim", asked(), [("third", "PRACTICEMANAGER", "Kim's")])
    assert {each.tenant_id for each in authority.reached_by(token)} == {"practice", "second"}
    clock.passes(1_800)
    assert authority.is_over(token)


def test_revoking_ends_everything_that_the_user_connected(authority: Authority) -> None:
    issued = authority.exchange(authority.consent("sam", asked(), [PRACTICE]), REDIRECT, None)
    authority.revoke(issued.refresh)
    assert refused(authority.refresh, issued.refresh) == "invalid_grant"
    assert authority.reached_by(issued.access) == []
    authority.revoke("unknown")


def test_without_offline_access_there_is_no_refresh_token(authority: Authority) -> None:
    code = authority.consent("sam", asked(scopes="openid"), [PRACTICE])
    issued = authority.exchange(code, REDIRECT, None)
    assert issued.refresh is None
    assert not authority.may_read(issued.access, "client.api/list")


def test_methods_of_staff_have_scopes_of_their_own(authority: Authority) -> None:
    for scope, clients, staff in (
        ("practicemanager.client.read", True, False),
        ("practicemanager.staff", False, True),
        ("practicemanager.read", True, True),
        ("practicemanager.job", False, False),
    ):
        token = authority.exchange(authority.consent("sam", asked(scopes=scope), [PRACTICE]), REDIRECT, None)
        may = [
            authority.may_read(token.access, f"{it}.api/list") for it in ("client", "clientgroup", "staff")
        ]
        assert may == [clients, clients, staff]


def test_an_address_that_is_none_is_not_of_this_machine() -> None:
    for address in ("http://[", "javascript://127.0.0.1/%0aalert(1)", "https://evil.example/", ""):
        assert not Application().may_redirect_to(address)
    assert Application().may_redirect_to("http://127.0.0.1:8090/oauth/callback")
