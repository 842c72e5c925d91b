"""An e-mail that a member has from another record of its batch: whoever holds it is asked for all the same."""

from collections.abc import Callable

import pytest

from services.resolver.store import AT_ONCE
from tests.support.journals.cutting import Delivery
from tests.support.model.fold import Model
from tests.support.resolving.loop import resolving
from tests.support.resolving.outcomes import assert_told
from tests.support.resolving.story import ModelResolver, Reply, Story

TAKEN = "ann@a.example"


def imported(story: Story) -> Reply:
    """Staged with the e-mail, and imported as a co-owner."""
    story.start("i1", "c2").item("p1-Director", email=TAKEN)
    return story.import_item("p1-Director", client_id="c2", co_owner=True)


def linked(story: Story) -> Reply:
    """Staged with the e-mail; a member takes it over as it is linked, and is made a co-owner."""
    story.start("i1", "c2").item("p1-Director", email=TAKEN)
    story.link("p1-Director", "m2", client_id="c2")
    return story.record_member("m2", "c2", co_owner=True)


def staged_again(story: Story) -> Reply:
    """A linked member gets the e-mail from a later import, and is made a co-owner."""
    story.start("i1", "c2").item("p1-Director")
    story.link("p1-Director", "m2", client_id="c2")
    story.start("i2", "c2").item("p1-Director", email=TAKEN)
    return story.record_member("m2", "c2", co_owner=True)


@pytest.mark.parametrize("take", [imported, linked, staged_again])
@pytest.mark.parametrize("more", [0, AT_ONCE], ids=["few", "many"])
async def test_an_email_that_is_held_elsewhere_is_refused_whatever_the_batches(
    database: str, take: Callable[[Story], Reply], more: int
) -> None:
    """Wherever the batch begins in which it is taken, and however much else is in it."""
    story = Story(ModelResolver())
    story.add_client("c1")
    story.record_member("m1", "c1", name="Ann", email=TAKEN, co_owner=True)
    story.add_client("c2")
    story.record_member("m2", "c2", name="Bob")
    begin = len(story.entries)
    reply = take(story)
    for number in range(more):
        story.record_member(f"another{number}", "c2", name="Cy")
    end = len(story.entries)
    model = Model(entry.record() for entry in story.entries)
    assert reply.reason == "email_taken"

    for cut in range(begin, end - more):
        async with resolving(database, story.entries) as loop:
            await loop.deliver(Delivery(0, cut))
            await loop.deliver(Delivery(cut, end))
            told = await loop.told()
            assert (await loop.tables())["co_owner_emails"] == model.tables()["co_owner_emails"]
        for entry, answer in zip(story.entries, model.answers, strict=True):
            assert_told(entry, answer, told[entry.partition, entry.offset])
