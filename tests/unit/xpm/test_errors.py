"""The family of errors: each has a reason of the contract and a sentence for people."""

import pytest

from schemas.imports import ImportFailed, ImportWaiting
from services.importer.xpm import errors
from services.importer.xpm.errors import Passing, SourceInvalid, XpmError

FAMILY = [it for it in vars(errors).values() if isinstance(it, type) and issubclass(it, XpmError)]
LEAVES = [it for it in FAMILY if it not in (XpmError, Passing)]
IMPORT = {"import_id": "i", "client_id": "c", "requested_at": "2026-03-02T12:00:00Z"}


@pytest.mark.parametrize("error", LEAVES)
def test_every_error_can_be_published(error):
    """Reason and sentence fit the event that ends an import."""
    ImportFailed.model_validate(IMPORT | {"reason": error.reason, "message": error.sentence})


@pytest.mark.parametrize(
    "error", [it for it in LEAVES if issubclass(it, Passing) and hasattr(it, "wait_reason")]
)
def test_every_passing_error_can_be_waited_for(error):
    """Its wait reason fits the event that says that an import waits."""
    ImportWaiting.model_validate(IMPORT | {"until": "2026-03-02T12:01:00Z", "why": error.wait_reason})


@pytest.mark.parametrize("error", LEAVES)
def test_the_tree_in_the_docstring_names_every_error(error):
    """The first page is complete."""
    assert f" {error.__name__} " in (errors.__doc__ or "")


def test_an_error_says_what_was_seen_and_which_call_it_was():
    """That is all a log needs, and all it gets."""
    assert (
        str(SourceInvalid("HTTP 302", correlation_id="abc-1"))
        == "source_invalid, HTTP 302, correlation id abc-1"
    )
    assert str(SourceInvalid()) == "source_invalid"
