"""Facts of imports, as the importer publishes them."""

from tests.support.model.counting import count
from tests.support.model.linking import details_of, put, replace
from tests.support.model.practice import Practice, Turn, instant, with_value
from tests.support.model.records import Refused, Replaced, Row

COUNTS = (
    "staged",
    "pending",
    "imported",
    "linked",
    "ignored",
    "attached",
    "withdrawn",
    "left_out",
    "rejected",
    "replaced_fields",
)


def import_started(practice: Practice, turn: Turn) -> None:
    data = turn.data
    if data.import_id in practice.imports:
        raise Refused("import_already_started")
    practice.imports[data.import_id] = {
        "tenant_id": practice.tenant_id,
        "import_id": data.import_id,
        "client_id": data.client_id,
        "bulk_id": data.bulk_id,
        "requested_by": data.requested_by,
        "requested_at": instant(data.requested_at),
        "started_from": turn.offset,
        "status": "fetching",
        "waiting_until": None,
        "waiting_why": None,
        "reason": None,
        "message": None,
        "reviewed": False,
        "item_ids": None,
        "unstaged": 0,
        "counts": dict.fromkeys(COUNTS, 0),
    }


def _run_of(practice: Practice, turn: Turn) -> Row:
    """The import that the fact is of, unless a later one was there first."""
    data = turn.data
    run = practice.imports.get(data.import_id)
    if run is None or run["client_id"] != data.client_id:
        raise Refused("import_not_started")
    client = practice.clients.get(data.client_id)
    if client is not None and _is_later(client["staged_from"], run):
        raise Refused("superseded")
    return run


def _is_later(start: int | None, run: Row) -> bool:
    return start is not None and start > run["started_from"]


def end_wait(run: Row) -> None:
    run.update(waiting_until=None, waiting_why=None)


def import_waiting(practice: Practice, turn: Turn) -> None:
    run = _run_of(practice, turn)
    if run["status"] != "fetching":
        raise Refused("import_ended")
    run.update(waiting_until=instant(turn.data.until), waiting_why=turn.data.why)


def import_failed(practice: Practice, turn: Turn) -> None:
    run = _run_of(practice, turn)
    if run["status"] != "fetching":
        raise Refused("import_ended")
    end_wait(run)
    run.update(status="failed", reason=turn.data.reason, message=turn.data.message)


def _run_and_client(
    practice: Practice, turn: Turn, *, ended: tuple[str, ...] = ("failed",)
) -> tuple[Row, Row]:
    """Whom a staged fact concerns, if it still may."""
    data, run = turn.data, _run_of(practice, turn)
    if run["status"] in ended or (data.TYPE == "muster.import.staged.v1" and run["item_ids"] is not None):
        raise Refused("import_ended")
    client = practice.clients.get(data.client_id)
    if client is None:
        raise Refused("client_not_found", fails_import=data.import_id)
    if client["xpm_client_id"] != data.xpm_client_id:
        raise Refused("xpm_client_mismatch", fails_import=data.import_id)
    return run, client


def entity_staged(practice: Practice, turn: Turn) -> None:
    run, client = _run_and_client(practice, turn)
    if _is_later(client["details_from"], run):
        raise Refused("older_details")
    end_wait(run)
    for name, value in with_value(turn.data.personal).items():
        before = client["details"].get(name)
        if before is not None and before != value:
            turn.replaced.append(Replaced("client", client["client_id"], name, before, value))
        client["details"][name] = value
        client["provenance"][name] = {"by": "xpm"}
    client["details_from"] = run["started_from"]


def item_staged(practice: Practice, turn: Turn) -> None:
    run, client = _run_and_client(practice, turn)
    item = practice.items.get(turn.data.item_id)
    if item is not None and item["client_id"] != client["client_id"]:
        raise Refused("item_of_another_client")
    if item is not None and item["staged_from"] >= run["started_from"]:
        raise Refused("already_staged")
    end_wait(run)
    item = practice.items.setdefault(turn.data.item_id, _unheard_of(practice, turn))
    if item["xpm_party_id"] != turn.data.xpm_party_id:
        put(item, "never decided")
    _restage(item, turn, run)
    _place(practice, item, turn)


def _unheard_of(practice: Practice, turn: Turn) -> Row:
    item = {
        "tenant_id": practice.tenant_id,
        "item_id": turn.data.item_id,
        "client_id": turn.data.client_id,
        "xpm_party_id": turn.data.xpm_party_id,
        "ignored": None,
    }
    put(item, "never decided")
    return item


def _restage(item: Row, turn: Turn, run: Row) -> None:
    data = turn.data
    item.update(
        xpm_party_id=data.xpm_party_id,
        import_id=run["import_id"],
        staged_from=run["started_from"],
        personal=with_value(data.personal),
        relationship=with_value(data.relationship),
        archived=data.archived,
        stub=data.stub,
        details_as_of=instant(data.details_as_of),
        in_xpm=True,
    )


def _place(practice: Practice, item: Row, turn: Turn) -> None:
    """Pending if its party has no link; otherwise the member has its news and nobody reviews it."""
    link = practice.links.get((item["client_id"], item["xpm_party_id"]))
    if link is None:
        put(item, "pending")
        return
    member = practice.members[link["member_id"]]
    if link["details_from"] <= item["staged_from"]:
        replace(member, details_of(item), turn)
        link["details_from"] = item["staged_from"]
    if link["item_id"] == item["item_id"]:
        replace(member, {"relationship": item["relationship"]["type"]}, turn)
    if item["state"] not in ("imported", "linked") or item["member_id"] != link["member_id"]:
        put(item, "attached", member_id=link["member_id"], attached_by=link["item_id"])


def import_staged(practice: Practice, turn: Turn) -> None:
    data = turn.data
    run, client = _run_and_client(practice, turn)
    end_wait(run)
    run["item_ids"] = sorted(set(data.item_ids))
    run["counts"]["left_out"] = sum(data.left_out.model_dump().values())
    run["status"] = "in_review" if run["reviewed"] else "ready_for_review"
    for item in practice.items_of(client["client_id"]):
        if item["item_id"] not in run["item_ids"] and item["staged_from"] < run["started_from"]:
            _not_in_xpm(item)
    for earlier in practice.open_imports():
        if earlier["client_id"] == client["client_id"] and earlier["started_from"] < run["started_from"]:
            count(practice, earlier)
            end_wait(earlier)
            earlier["status"] = "superseded"
    client["staged_from"] = run["started_from"]


def _not_in_xpm(item: Row) -> None:
    if item["state"] == "pending":
        put(item, "withdrawn", reason="not_in_xpm")
    elif item["state"] != "withdrawn":
        item["in_xpm"] = False
