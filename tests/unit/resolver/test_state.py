"""A tenant's state: what a record changed can be forgotten, with everything that was concluded from it."""

from msgspec.structs import replace

from services.resolver.domain.entities import Import
from services.resolver.domain.state import TenantState

RUN = Import("import-1", "client-1", requested_by="Anna", requested_at=0, started_from=0)


def test_an_import_that_a_forgotten_record_closed_is_open_again() -> None:
    """Even if it was looked for in between, and not found."""
    state = TenantState()
    state.put_import(RUN)
    state.commit()

    state.put_import(replace(RUN, status="failed"))
    assert state.open_imports("client-1") == []
    state.roll_back()

    assert state.open_imports("client-1") == [RUN]
