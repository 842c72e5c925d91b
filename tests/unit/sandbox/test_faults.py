"""Trouble meets the calls it was asked for, as often as it was asked for."""

import pytest
from pydantic import ValidationError

from sandbox.faults import MEANINGS, Fault, Faults


def kinds(faults, tenant="a", path="/client.api/get/1"):
    return [fault.kind for fault in faults.for_call(tenant, path)]


def test_a_fault_with_a_number_is_over_after_as_many_calls():
    """Two calls fail, the third does not."""
    faults = Faults()
    faults.add(Fault(kind="outage", calls=2))

    assert [kinds(faults) for _ in range(3)] == [["outage"], ["outage"], []]


def test_a_fault_without_a_number_lasts_until_it_is_cleared():
    """An outage ends when somebody says so."""
    faults = Faults()
    faults.add(Fault(kind="outage"))
    assert all(kinds(faults) for _ in range(10))

    faults.clear()
    assert kinds(faults) == []


def test_a_fault_meets_its_tenant_and_path_only():
    """Others' calls neither fail nor spend it."""
    faults = Faults()
    faults.add(Fault(kind="cut", tenant="a", path="get/1", calls=1))

    assert kinds(faults, tenant="b") == []
    assert kinds(faults, path="/client.api/list") == []
    assert kinds(faults) == ["cut"]


def test_latencies_add_to_the_first_other_fault():
    """A call can be slow and then fail, but it fails in one way; the second waits its turn."""
    faults = Faults()
    for kind in ("latency", "outage", "malformed"):
        faults.add(Fault(kind=kind, calls=1))

    assert kinds(faults) == ["latency", "outage"]
    assert kinds(faults) == ["malformed"]


def test_an_unknown_kind_is_refused():
    """A typing mistake must not pass for a sandbox without faults."""
    with pytest.raises(ValidationError):
        Fault(kind="outtage")


def test_luck_decides_about_a_share_of_the_calls_and_repeats_itself():
    """The same seed lets the same calls go wrong."""

    def met(seed):
        faults = Faults()
        faults.add(Fault(kind="outage", percent=20, seed=seed))
        return [bool(kinds(faults)) for _ in range(1_000)]

    assert 150 < sum(met("a")) < 250
    assert met("a") == met("a") != met("b")


def test_anything_is_every_way_in_which_an_answer_goes_wrong():
    """In the end each has had its turn, and none that lasts or takes a minute."""
    faults = Faults()
    faults.add(Fault(kind="any"))
    drawn = {kind for _ in range(300) for kind in kinds(faults)}

    assert drawn == MEANINGS.keys() - {"any", "huge", "token_dies", "refresh_lost"}


def test_a_lost_refresh_is_no_matter_of_the_api():
    """Only whoever hands out tokens asks for it, and spends it."""
    faults = Faults()
    faults.add(Fault(kind="refresh_lost", calls=1))

    assert kinds(faults) == []
    assert [faults.strikes("refresh_lost", None, "/connect/token") for _ in range(2)] == [True, False]
