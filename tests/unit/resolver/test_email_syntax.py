"""What an e-mail is, tried through the resolver: a client's e-mail is refused or taken."""

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from tests.support.journals.effort import effort
from tests.support.resolving.story import CoreResolver, ModelResolver, Story

letters = st.text("aZ09", min_size=1, max_size=3)
odd_letters = st.text('aZ09.-_+@"( é\n', max_size=4)
long_letters = st.integers(60, 70).map(lambda length: "a" * length)
usual_words = st.sampled_from(("a", "B2", "c-d", "9", "x" * 63))
words = st.one_of(letters, usual_words, usual_words.map(str.upper), odd_letters, long_letters)
near_emails = st.builds(
    lambda local, at, labels: f"{local}{at}{'.'.join(labels)}"[:320],
    st.lists(words, min_size=1, max_size=3).map(".".join),
    st.sampled_from(["@"] * 9 + ["@@", "", " @"]),
    st.lists(words, min_size=1, max_size=3).map(lambda labels: [*labels, "example"]),
).filter(bool)
LONGEST = f"{'a' * 64}@{'b' * 63}.{'c' * 63}.{'d' * 61}"


@pytest.mark.parametrize(
    "email",
    [
        "a@b.c",
        "A.b-c_d@X-y.Example",
        "!#$%&'*+/=?^_`{|}~-@b.example",
        "1@2.3c",
        "a@b.c1",
        "a@1-1.example",
        "a.b.c@d.e.f.g",
        LONGEST,
    ],
)
def test_an_email(story: Story, email: str) -> None:
    """One @, printable letters before it, at least two labels after it."""
    assert story.add_client(email=email).result == "applied"
    assert story.client()["details"]["email"] == email


@pytest.mark.parametrize(
    "email",
    [
        "nobody",
        "a@b@c.example",
        "@b.example",
        "a@",
        "a@b",
        "a@b.",
        "a@.b",
        "a@b..c",
        ".a@b.example",
        "a.@b.example",
        "a..b@c.example",
        "a b@c.example",
        " a@b.example",
        "a@b.example ",
        "a@b.example\n",
        '"a"@b.example',
        "a(b)@c.example",
        "a,b@c.example",
        "ä@b.example",
        "a@bä.example",
        "a@b.exämple",
        "a@\u0131.example",
        "a@-b.example",
        "a@b-.example",
        "a@b_c.example",
        "a@b.123",
        "a@[127.0.0.1]",
        f"{'a' * 65}@b.example",
        f"a@{'b' * 64}.example",
        f"{LONGEST}e",
    ],
)
def test_no_email(story: Story, email: str) -> None:
    """Anything else is not an e-mail, nothing is trimmed, and no part may be too long."""
    assert story.add_client(email=email).reason == "email_invalid"


def test_emails_are_compared_in_lower_case(story: Story) -> None:
    """Case is kept as it was sent and does not distinguish."""
    story.add_client("c1", account_email="Ann.O'Hara@Example.COM")

    assert story.add_client("c2", account_email="ann.o'hara@example.com").reason == "email_taken"
    assert story.emails() == {"ann.o'hara@example.com": None}
    assert story.client("c1")["account_email"] == "Ann.O'Hara@Example.COM"


@given(near_emails)
@effort(500)
def test_the_resolver_and_the_model_know_the_same_emails(email: str) -> None:
    """Whatever looks nearly like an e-mail is one for both, or for neither."""
    by_rules, by_resolver = (
        Story(resolver()).add_client(email=email).reason for resolver in (ModelResolver, CoreResolver)
    )

    event(str(by_rules))
    assert by_resolver == by_rules
