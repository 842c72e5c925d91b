"""The fold of requests and outcomes against a model that was written without looking at it."""

from hypothesis import given

from services.notifier.domain.ledger import Changed, Ledger, touched
from services.notifier.domain.rows import ENDED, RANKS, Key, Row
from services.notifier.domain.snapshots import row_of, snapshot
from tests.support.journals.composer import Dice
from tests.support.watching.model import COUNTS, RowKey, Shown, final_rows
from tests.support.watching.story import NOON
from tests.support.watching.strategies import Delivered, Logs, deliveries, logs, throws


class Table:
    """The rows between batches, as a database would keep them."""

    def __init__(self) -> None:
        self.rows: dict[Key, Row] = {}

    def apply(self, batch: Delivered) -> list[Changed]:
        keys = {key for _, each in batch for key in touched(each.event)}
        ledger = Ledger([self.rows[key] for key in keys & self.rows.keys()], now=NOON)
        for offset, each in batch:
            ledger.read(each.event, each.source(offset))
        changes = ledger.changes()
        self.rows |= {each.row.key: stored_and_loaded(each.row) for each in changes}
        return changes


def stored_and_loaded(row: Row) -> Row:
    return row_of(
        row.key.tenant_id,
        type(snapshot(row)).model_validate_json(snapshot(row).model_dump_json(exclude_unset=True)),
        outcome=row.outcome,
        request_seen=row.request_seen,
        bulk_from=row.bulk_from,
        reviewable=row.reviewable,
    )


def shown(rows: dict[Key, Row]) -> dict[RowKey, Shown]:
    return {tuple(key): shown_row(row) for key, row in rows.items()}


def shown_row(row: Row) -> Shown:
    counts = {name: getattr(row.counts, name) for name in COUNTS}
    if row.bulk:
        return {
            "bulk_id": row.bulk_id,
            "moved_at": row.moved_at,
            "status": row.status,
            "counts": counts,
            "imports": row.bulk.model_dump(),
            "to_review": snapshot(row).to_review,
        }
    return {
        "requested_at": row.requested_at,
        "moved_at": row.moved_at,
        "status": row.status,
        "requested_by": row.requested_by,
        "bulk_id": row.bulk_id,
        "client_id": row.client_id,
        "client_name": row.client_name,
        "waiting": row.waiting and row.waiting.model_dump(),
        "reason": row.reason,
        "message": row.message,
        "counts": counts,
    }


@given(told=logs(), dice=throws())
def test_the_rows_are_the_same_however_the_topics_are_read(told: Logs, dice: Dice) -> None:
    """Any interleaving of the two topics, cut anywhere and with any suffix again, gives the rows of the model."""
    table = Table()
    for batch in deliveries(dice, told):
        table.apply(batch)

    assert shown(table.rows) == final_rows(told.requests, told.outcomes)


@given(told=logs(), dice=throws())
def test_a_row_never_goes_backwards_but_by_a_swap(told: Logs, dice: Dice) -> None:
    """Status only rises and what ended stays as it is, unless the outcome comes from a later swap."""
    table = Table()
    for batch in deliveries(dice, told):
        for offset, each in batch:
            before = dict(table.rows)
            table.apply([(offset, each)])
            for key, row in table.rows.items():
                was = before.get(key)
                if row.bulk or was is None or was.outcome is None or row.outcome is None:
                    continue
                assert row.outcome >= was.outcome
                if row.outcome.swap == was.outcome.swap:
                    assert RANKS[row.status] >= RANKS[was.status]
                    assert RANKS[was.status] < ENDED or row.looks_like(was) or row.counts == was.counts


@given(told=logs(), dice=throws())
def test_what_was_told_last_is_what_stands_there(told: Logs, dice: Dice) -> None:
    """Of each row versions rise, the highest snapshot shows the row as it is, and nothing is told that nobody sees."""
    table = Table()
    heard: dict[Key, Row] = {}
    for batch in deliveries(dice, told):
        for each in table.apply(batch):
            if each.cause:
                last = heard.get(each.row.key)
                assert last is None or (each.row.version > last.version and not each.row.looks_like(last))
                heard[each.row.key] = each.row

    assert {key: snapshot(row) for key, row in heard.items()} == {
        key: snapshot(row) for key, row in table.rows.items()
    }
