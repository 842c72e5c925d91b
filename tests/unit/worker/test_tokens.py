"""Tokens: good for one tenant, one audience and a while, and for nothing else."""

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey
from pydantic import SecretStr

from worker.settings import Settings
from worker.tokens import DEMO_KEY, NOTIFIER, PORTAL, BadToken, NoKey, Tokens, bearer, is_loopback

KEY = "a-key-of-thirty-two-characters-or-more"


@pytest.fixture
def tokens() -> Tokens:
    return Tokens(KEY)


def signed(claims: dict, key: str = KEY, algorithm: str = "HS256") -> str:
    return jwt.encode({"alg": algorithm}, claims, OctKey.import_key(key), algorithms=[algorithm])


def test_a_token_says_whose_it_is(tokens: Tokens) -> None:
    """What was made is read back."""
    claims = tokens.read(tokens.make("oak", NOTIFIER, 60, name="Anna"), NOTIFIER)

    assert (claims["tenant"], claims["name"]) == ("oak", "Anna")


@pytest.mark.parametrize(
    "token",
    [
        "",
        "nonsense",
        "a.b.c",
        Tokens(KEY).make("oak", NOTIFIER, -1),
        Tokens(KEY).make("oak", PORTAL, 60),
        Tokens("another-key-of-thirty-two-characters").make("oak", NOTIFIER, 60),
        signed({"tenant": "oak", "aud": NOTIFIER}),
        signed({"aud": NOTIFIER, "exp": 4102444800}),
        signed({"tenant": "o\u00e4k", "aud": NOTIFIER, "exp": 4102444800}),
        signed({"tenant": ["oak"], "aud": NOTIFIER, "exp": 4102444800}),
        signed({"tenant": "oak", "aud": NOTIFIER, "exp": 4102444800}, algorithm="HS512"),
        "eyJhbGciOiJub25lIn0.eyJ0ZW5hbnQiOiJvYWsiLCJhdWQiOiJtdXN0ZXItbm90aWZpZXIiLCJleHAiOjQxMDI0NDQ4MDB9.",
    ],
)
def test_anything_else_is_refused(tokens: Tokens, token: str) -> None:
    """Forged, over, for somebody else, without an end, by another algorithm or by none."""
    with pytest.raises(BadToken):
        tokens.read(token, NOTIFIER)


def test_a_key_has_to_be_given() -> None:
    """Outside demo mode nothing starts without one, or with one that could be guessed."""
    with pytest.raises(NoKey, match="missing"):
        Tokens.of(Settings(demo=False, token_key=None))
    with pytest.raises(NoKey, match="too short"):
        Tokens.of(Settings(token_key=SecretStr("short")))


def test_the_key_that_everybody_knows_is_for_this_machine_only() -> None:
    """In demo mode, on loopback; never where others could reach it."""
    made = Tokens.of(Settings(demo=True)).make("oak", NOTIFIER, 60)

    assert Tokens(DEMO_KEY).read(made, NOTIFIER)["tenant"] == "oak"
    with pytest.raises(NoKey, match="this machine only"):
        Tokens.of(Settings(demo=True, http_host="0.0.0.0"))


@pytest.mark.parametrize(
    ("host", "expected"),
    [("127.0.0.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("muster.example", False)],
)
def test_loopback_is_told_from_the_rest(host, expected) -> None:
    assert is_loopback(host) is expected


def test_a_token_is_read_from_its_header() -> None:
    assert bearer({"authorization": "bearer abc "}) == "abc"
    assert bearer({"authorization": "Basic abc"}) is None
    assert bearer({}) is None
