"""What a record comes to before any rule of its type: claimed ids, and records that cannot be folded."""

import pytest

from schemas.imports import ConnectionChanged
from schemas.portal import ClientAdded
from tests.support.journals.entries import document, encoded
from tests.support.resolving.story import Story

ANN = {"client_id": "c1", "personal": {"name": "Ann"}}


def test_an_applied_record_claims_its_id(story: Story) -> None:
    """Applied: it took effect, and its id is claimed."""
    reply = story.add_client()

    assert (reply.result, reply.reason, reply.claims_id) == ("applied", None, True)


def test_a_rejected_record_claims_its_id(story: Story) -> None:
    """A refused record has used its id up, so that the same record later is a repeat of the refusal."""
    assert story.amend_client("c1").claims_id

    story.add_client()
    reply = story.again(0)

    assert (reply.result, reply.first_offset) == ("repeated", 0)


def test_an_equal_record_is_a_repeat(story: Story) -> None:
    """The same id and content again: no effect, no claim, and the first record's offset."""
    story.add_client()
    story.amend_client(title="Ms")
    reply = story.again(0)

    assert (reply.result, reply.reason, reply.claims_id, reply.first_offset) == ("repeated", None, False, 0)
    assert story.client()["details"]["title"] == "Ms"


@pytest.mark.parametrize(
    "envelope",
    [{"time": "2026-11-23T11:59:59+02:00"}, {"source": "somebody/else"}, {"causationid": "cause"}],
)
def test_the_envelope_around_the_content_does_not_matter(story: Story, envelope: dict[str, str]) -> None:
    """Equal means type, subject and data; time, source and cause may differ."""
    story.add_client()

    assert story.again(0, **envelope).result == "repeated"


def test_the_order_of_fields_does_not_matter(story: Story) -> None:
    """Content is compared as parsed, not as written."""
    story.publish(ClientAdded, ANN, event_id="one")
    reply = story.publish(ClientAdded, dict(reversed(ANN.items())), event_id="one")

    assert reply.result == "repeated"


@pytest.mark.parametrize(
    "envelope",
    [
        {"subject": "another"},
        {"data": {"client_id": "c1", "personal": {"name": "Bob"}}},
        {"data": {"client_id": "c1", "personal": {"name": "Ann", "title": None}}},
        {"data": {"client_id": "c1", "personal": {"name": "Ann"}, "unknown_to_us": 1}},
        {
            "type": ConnectionChanged.TYPE,
            "data": {"connection_id": "k1", "state": "connected"},
        },
    ],
)
def test_a_claimed_id_with_other_content_is_refused(story: Story, envelope: dict[str, object]) -> None:
    """Another type, subject or data under a claimed id, be it only a field that we don't know: `id_reused`."""
    story.publish(ClientAdded, ANN, event_id="one")
    reply = story.again(0, **envelope)

    assert (reply.result, reply.reason, reply.claims_id) == ("rejected", "id_reused", False)
    assert story.client()["details"] == {"name": "Ann"}
    assert story.again(0).result == "repeated"


def test_ids_are_per_tenant(story: Story) -> None:
    """The same id of another tenant is another id."""
    story.publish(ClientAdded, ANN, event_id="one")
    reply = story.of_tenant("south").publish(ClientAdded, ANN, event_id="one")

    assert reply.result == "applied"


def test_a_record_that_broke_the_resolver_claims_nothing(story: Story) -> None:
    """Failed: no effect, and the same record later, when the fault is mended, takes effect."""
    reply = story.publish(ClientAdded, ANN, event_id="one", broken=True)

    assert (reply.result, reply.reason, reply.claims_id) == ("failed", "resolver_failed", False)
    assert story.client() == {}
    assert story.again(0).result == "applied"


def test_an_unreadable_record_comes_to_nothing(story: Story) -> None:
    """A dead letter: recorded with its reason, and nothing else changes."""
    event = document("north", "one", ClientAdded.TYPE, "subject", ANN)

    assert story.append(b"{").reason == "not_json"
    assert story.append(encoded(event | {"specversion": "2.0"})).reason == "not_schema"
    reply = story.append(encoded(event | {"type": "muster.unheard.of.v1"}))
    assert (reply.result, reply.reason, reply.claims_id) == ("unreadable", "unknown_type", False)
    assert story.append(encoded(event)).result == "applied"


def test_a_connection_change_is_always_applied(story: Story) -> None:
    """`ConnectionChanged` is recorded and published, and changes no table."""
    reply = story.publish(ConnectionChanged, {"connection_id": "k1", "state": "disconnected"})

    assert (reply.result, reply.claims_id) == ("applied", True)
