"""Rows that differ, as a replay shows them: what they say about people is masked unless it is asked for."""

import json

import pytest

from worker.differences import columns_that_differ

BLOCKS = {
    "earlier": {"state": "ignored", "decided_by": "Kim"},
    "client": {"created": True, "added_by": "Kim"},
    "connection": {"connection_id": "x", "changed_by": "Kim"},
    "imports": [{"import_id": "i", "requested_by": "Kim"}],
    "personal": {"client_name": "Kim"},
}


def row(**data) -> dict:
    return {"tenant_id": "t", "outcome": json.dumps({"id": "o", "data": data})}


@pytest.mark.parametrize("block", BLOCKS)
@pytest.mark.parametrize("turned", [False, True])
def test_a_block_that_is_on_one_side_only_is_masked(block, turned):
    """Also where the person's name stands deep in what is shown as a whole."""
    sides = [row(**{block: BLOCKS[block]}), row()]
    here, there = reversed(sides) if turned else sides

    assert "Kim" not in str(columns_that_differ(here, there, personal=False))
    assert "Kim" in str(columns_that_differ(here, there, personal=True))


def test_a_list_that_grew_is_masked():
    """Lists of different lengths are shown as a whole."""
    run = BLOCKS["imports"][0]

    assert "Kim" not in str(columns_that_differ(row(imports=[run]), row(imports=[run, run]), personal=False))


def test_what_is_no_persons_is_shown():
    """A state is what the operator came for."""
    here = {"tenant_id": "t", "state": "pending", "details": {"name": "Ann"}}
    there = {"tenant_id": "t", "state": "ignored", "details": {"name": "Anna"}}

    assert columns_that_differ(here, there, personal=False) == [
        ("state", "pending", "ignored"),
        ("details.name", "(3 characters)", "(4 characters)"),
    ]
