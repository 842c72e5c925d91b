"""Rules 2 to 8: the facts of imports."""

from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from schemas.envelope import Block
from schemas.fields import milliseconds
from schemas.imports import (
    EntityStaged,
    ImportFact,
    ImportFailed,
    ImportStaged,
    ImportStarted,
    ImportWaiting,
    ItemStaged,
)
from services.resolver.domain.change import Change, withdrawn
from services.resolver.domain.entities import Client, Import, Item, Link, digest_of_item
from services.resolver.domain.reasons import REASONS, Refusal
from services.resolver.domain.replacing import ALL_FIELDS, PERSON_FIELDS, take_over, take_over_entity

if TYPE_CHECKING:
    from schemas.outcomes import ImportStatus

NOT_IN_XPM = "not_in_xpm"


def import_started(change: Change, data: ImportStarted) -> None:
    """The first one gives the import its place in the order of imports."""
    change.client_id = data.client_id
    if data.import_id in change.state.imports:
        raise Refusal("import_already_started")
    change.put_import(
        Import(
            import_id=data.import_id,
            client_id=data.client_id,
            bulk_id=data.bulk_id,
            requested_by=data.requested_by,
            requested_at=milliseconds(data.requested_at),
            started_from=change.offset,
        )
    )


def import_waiting(change: Change, data: ImportWaiting) -> None:
    """The import goes on by itself at the time it names."""
    run = _import(change, data)
    if run.status != "fetching":
        raise Refusal("import_ended")
    change.put_import(replace(run, waiting_until=milliseconds(data.until), waiting_why=data.why))


def import_failed(change: Change, data: ImportFailed) -> None:
    """The import ended without staging anything."""
    run = _import(change, data)
    if run.status != "fetching":
        raise Refusal("import_ended")
    change.put_import(_failed(run, data.reason, data.message))


def entity_staged(change: Change, data: EntityStaged) -> None:
    """Rule 4: the client's own details, applied at once."""
    run, client = _staging(change, data, data.xpm_client_id)
    if client.details_from is not None and client.details_from > run.started_from:
        raise Refusal("older_details")
    client = take_over_entity(change, client, _values(data.personal))
    change.put_client(replace(client, details_from=run.started_from))
    _moved(change, run.import_id)


def item_staged(change: Change, data: ItemStaged) -> None:
    """Rules 5 and 6: one relationship, to be decided or, where its party is linked, taken over."""
    run, _ = _staging(change, data, data.xpm_client_id)
    before = change.state.items.get(data.item_id)
    if before and before.client_id != data.client_id:
        raise Refusal("item_of_another_client")
    if before and before.staged_from >= run.started_from:
        raise Refusal("already_staged")
    item = _staged_item(data, run, before)
    link = change.state.links.get((item.client_id, item.xpm_party_id))
    if link is None:
        item = _pending(item)
    else:
        _take_over_staged(change, item, link)
        item = _with_member(item, link)
    change.put_item(item, staged_by=run.import_id)
    _moved(change, run.import_id)


def import_staged(change: Change, data: ImportStaged) -> None:
    """Rule 7: all is staged; what is not in the list is no longer in XPM, and earlier imports are superseded."""
    run, client = _staging(change, data, data.xpm_client_id)
    if run.listed is not None:
        raise Refusal("import_ended")
    status: ImportStatus = "in_review" if run.reviewed else "ready_for_review"
    run = replace(run, status=status, waiting_until=None, waiting_why=None)
    run = change.list_items(run, data.item_ids, sum(data.left_out.model_dump().values()))
    for item in change.state.items_of_client(client.client_id):
        if item.staged_from < run.started_from and item.item_id not in (run.listed or ()):
            _no_longer_in_xpm(change, item)
    for earlier in change.state.open_imports(client.client_id):
        if earlier.started_from < run.started_from:
            change.put_import(replace(earlier, status="superseded", waiting_until=None, waiting_why=None))
    change.put_client(replace(client, staged_from=run.started_from))


def _import(change: Change, data: ImportFact) -> Import:
    change.client_id = data.client_id
    run = change.state.imports.get(data.import_id)
    if run is None or run.client_id != data.client_id:
        raise Refusal("import_not_started")
    client = change.state.clients.get(data.client_id)
    if client and client.staged_from is not None and client.staged_from > run.started_from:
        raise Refusal("superseded")
    return run


def _staging(change: Change, data: ImportFact, xpm_client_id: str) -> tuple[Import, Client]:
    run = _import(change, data)
    if run.status == "failed" or (run.listed is not None and isinstance(data, ImportStaged)):
        raise Refusal("import_ended")
    client = change.state.clients.get(data.client_id)
    if client is None:
        _fail_import(change, run, "client_not_found")
    elif client.xpm_client_id != xpm_client_id:
        _fail_import(change, run, "xpm_client_mismatch")
    else:
        return run, client
    raise AssertionError("unreachable")


def _fail_import(change: Change, run: Import, reason: str) -> None:
    """The only refusal of a fact with an effect: its import can't go on."""
    if run.is_open:
        change.put_import(_failed(run, reason, REASONS[reason]))
    raise Refusal(reason)


def _failed(run: Import, reason: str, message: str) -> Import:
    return replace(run, status="failed", reason=reason, message=message, waiting_until=None, waiting_why=None)


def _moved(change: Change, import_id: str) -> None:
    """An applied fact ends the import's wait and counts what it replaced."""
    run = change.state.imports[import_id]
    if not run.is_open:
        return
    if run.waiting_until is not None:
        change.put_import(replace(run, waiting_until=None, waiting_why=None))
    if change.replacements:
        change.add(change.state.imports[import_id], replaced_fields=len(change.replacements))


def _values(block: Block) -> dict[str, Any]:
    return {field: value for field, value in vars(block).items() if value is not None}


def _staged_item(data: ItemStaged, run: Import, before: Item | None) -> Item:
    personal, relationship = _values(data.personal), _values(data.relationship)
    fresh = Item(
        item_id=data.item_id,
        client_id=data.client_id,
        xpm_party_id=data.xpm_party_id,
        import_id=run.import_id,
        staged_from=run.started_from,
        personal=personal,
        relationship=relationship,
        archived=data.archived,
        stub=data.stub,
        details_as_of=milliseconds(data.details_as_of) if data.details_as_of else None,
        digest=digest_of_item(personal, relationship, archived=data.archived, stub=data.stub),
    )
    if before is None:
        return fresh
    if before.xpm_party_id != data.xpm_party_id:
        before = _pending(before)
    return replace(
        fresh,
        state=before.state,
        reason=before.reason,
        member_id=before.member_id,
        attached_by=before.attached_by,
        decided_by=before.decided_by,
        decided_at=before.decided_at,
        ignored=before.ignored,
    )


def _pending(item: Item) -> Item:
    if item.state == "pending":
        return item
    return replace(
        item,
        state="pending",
        reason=None,
        member_id=None,
        attached_by=None,
        decided_by=None,
        decided_at=None,
    )


def _with_member(item: Item, link: Link) -> Item:
    if item.state in ("imported", "linked") and item.member_id == link.member_id:
        return item
    return replace(
        item,
        state="attached",
        reason=None,
        member_id=link.member_id,
        attached_by=link.item_id,
        decided_by=None,
        decided_at=None,
    )


def _take_over_staged(change: Change, item: Item, link: Link) -> None:
    fresh = link.details_from <= item.staged_from
    made_the_link = item.item_id == link.item_id
    fields = {
        (True, True): ALL_FIELDS,
        (True, False): PERSON_FIELDS,
        (False, True): ("relationship",),
        (False, False): (),
    }[fresh, made_the_link]
    member = change.state.members[link.member_id]
    taken = take_over(change, member, item.staged_values, fields)
    if taken != member:
        change.put_member(taken)
    if fresh:
        change.state.put_link(replace(link, details_from=item.staged_from))


def _no_longer_in_xpm(change: Change, item: Item) -> None:
    if item.state == "pending":
        change.put_item(withdrawn(item, NOT_IN_XPM))
    elif item.state != "withdrawn" and item.in_xpm:
        change.put_item(replace(item, in_xpm=False))
