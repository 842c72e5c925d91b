"""The last events of a partition, as streams look them up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifier.telling import Told
from services.notifier.window import Fallen, Window


def told(tenant: str, offset: int) -> Told:
    return Told(tenant, offset, "import", f"i{offset}", 1, 0, b"")


def offsets(events: list[Told]) -> list[int]:
    return [each.offset for each in events]


@given(
    tenants=st.lists(st.sampled_from(["birch", "cedar", None]), max_size=40),
    kept=st.integers(1, 10),
    start=st.integers(0, 5),
    asked=st.integers(0, 50),
)
def test_a_window_tells_all_that_it_reaches_or_says_that_it_does_not(
    tenants: list[str | None], kept: int, start: int, asked: int
) -> None:
    """From any place it either has every event of the tenant, in order, or raises; it never has a gap."""
    window = Window(start, kept)
    for offset, tenant in enumerate(tenants, start):
        if tenant:
            window.add(told(tenant, offset))
        window.move(offset + 1)
    everything = [(offset, tenant) for offset, tenant in enumerate(tenants, start) if tenant]

    expected = [offset for offset, tenant in everything if tenant == "birch" and offset >= asked]
    if asked >= window.begin:
        assert offsets(window.since("birch", asked)) == expected
    else:
        with pytest.raises(Fallen):
            window.since("birch", asked)
    assert window.position == start + len(tenants)
    assert all(offset < window.begin for offset, _ in everything[:-kept])
    assert window.begin == start if len(everything) <= kept else window.begin > start


def test_what_falls_out_leaves_nothing_behind() -> None:
    """Memory is bounded by what is kept, also for tenants that were heard of once."""
    window = Window(0, kept=3)
    for offset in range(100):
        window.add(told(f"tenant-{offset}", offset))

    assert len(window._of_tenant) == 3
    assert window.begin == 97
