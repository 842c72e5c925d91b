"""What may be asked of the list."""

from datetime import timedelta

import pytest
from starlette.datastructures import QueryParams

from services.notifier.listing import Asked, asked, cursor_of
from services.notifier.reads import Place
from services.notifier.store import instant
from tests.support.watching.story import NOON
from worker.problems import Problem


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("status=nonsense", "status"),
        ("status=queued&status=", "status"),
        ("kind=import&kind=", "kind"),
        ("limit=0", "limit"),
        ("limit=501", "limit"),
        ("limit=2&limit=3", "limit"),
        ("since=yesterday", "since"),
        ("since=0001-01-01T00:00:00Z", "since"),
        ("until=2026-11-23T12:00:00", "until"),
        ("until=1795435200", "until"),
        ("cursor=not-one", "cursor"),
        ("cursor=WzEsMl0=", "cursor"),
        ("cursor=%C3%BC", "cursor"),
        ("client_id=%00", "client_id"),
        ("client_id=", "client_id"),
        ("serach=oak", "serach"),
    ],
)
def test_a_wrong_parameter_is_named(query: str, parameter: str) -> None:
    """Nothing is guessed or passed over: whatever is not as it must be is named."""
    with pytest.raises(Problem) as caught:
        asked(QueryParams(query))

    assert {each["parameter"] for each in caught.value.wrong} == {parameter}
    assert caught.value.status == 400


def test_everything_may_be_asked_at_once() -> None:
    """Filters combine, and the cursor is read back as the place that it stands for."""
    noon = instant(NOON)
    two_hours_ahead = (noon + timedelta(hours=2, milliseconds=500)).isoformat().replace("+00:00", "%2B02:00")
    place = Place(noon, "import", "i/1")
    found = asked(
        QueryParams(
            f"client_id=oak&status=queued&status=failed&kind=import&limit=7&cursor={cursor_of(place)}"
            f"&since={noon:%Y-%m-%dT%H:%M:%SZ}&until={two_hours_ahead}"
        )
    )

    assert (found.filters.client_id, found.filters.statuses, found.filters.kinds) == (
        "oak",
        ["queued", "failed"],
        ["import"],
    )
    assert (found.filters.since, found.filters.until) == (noon, instant(NOON + 500))
    assert (found.after, found.limit) == (place, 7)
    assert asked(QueryParams("")) == Asked()
