"""What the importer publishes, and what it would never publish but a confused one could."""

from collections.abc import Sequence
from typing import Any

from schemas.ids import item_id
from schemas.imports import (
    EntityStaged,
    ImportFact,
    ImportFailed,
    ImportStaged,
    ImportStarted,
    ImportWaiting,
    ItemStaged,
)
from schemas.portal import ClientAdded
from tests.support.journals.composer import Composer, Dice
from tests.support.journals.details import ABSENT, in_xpm, sent
from tests.support.journals.entries import SENT_AT
from tests.support.journals.pools import (
    CLIENT_FIELDS,
    CLIENTS,
    NAMES,
    PARTIES,
    STAFF,
    TENANTS,
    TIES,
    UNKNOWN_CLIENT,
    XPM_CLIENT_OF,
    Tie,
)
from tests.support.model.practice import OPEN

Run = tuple[str, str, str]
"""A started import: its tenant, its client, its id."""


def need_client(composer: Composer, dice: Dice, tenant_id: str) -> None:
    """Without a client little can happen, so one is nearly always added first."""
    if composer.practice(tenant_id).clients or dice.one_in(12):
        return
    client_id = dice.pick(CLIENTS)
    personal = {"name": dice.pick(NAMES)}
    data = {"client_id": client_id, "xpm_client_id": XPM_CLIENT_OF[client_id], "personal": personal}
    composer.emit(tenant_id, ClientAdded, data)


def start_import(composer: Composer, dice: Dice) -> Run:
    """An import starts, nearly always a new one and of a client that is known."""
    tenant_id = dice.pick(TENANTS)
    need_client(composer, dice, tenant_id)
    practice = composer.practice(tenant_id)
    client_id = dice.pick([*practice.clients] * 60 + [*CLIENTS, UNKNOWN_CLIENT])
    import_id = composer.new_id(tenant_id, "i")
    if practice.imports and dice.one_in(30):
        import_id = dice.pick(list(practice.imports))
    more = {
        "xpm_client_id": XPM_CLIENT_OF[client_id],
        "requested_by": dice.pick(STAFF),
        "bulk_id": dice.pick((ABSENT, ABSENT, "b1", None)),
    }
    run = (tenant_id, client_id, import_id)
    _publish(composer, run, ImportStarted, more)
    return run


def run_import(composer: Composer, dice: Dice) -> None:
    """A whole import, or as much of it as the importer got out."""
    run = start_import(composer, dice)
    if dice.one_in(6):
        _wait(composer, dice, run)
    if dice.one_in(10):
        _fail(composer, dice, run)
        return
    if not dice.one_in(4):
        _stage_entity(composer, dice, run)
    ties = dice.some(TIES, leave_out_one_in=3)
    staged = dice.some(ties, leave_out_one_in=12)
    for tie in staged:
        _stage_item(composer, dice, run, tie)
    if dice.one_in(2):
        _stage_list(composer, dice, run, [_item_id(run, tie) for tie in ties])


def publish_fact(composer: Composer, dice: Dice) -> None:
    """One more fact of some import, in no particular order."""
    run = _some_run(composer, dice)
    fact = dice.pick(("item",) * 6 + ("list",) * 3 + ("entity",) * 3)
    if fact == "item":
        _stage_item(composer, dice, run, dice.pick(TIES))
    elif fact == "entity":
        _stage_entity(composer, dice, run)
    else:
        _stage_list(composer, dice, run, _what_it_staged(composer, dice, run))


def wait(composer: Composer, dice: Dice) -> None:
    _wait(composer, dice, _some_run(composer, dice))


def fail_import(composer: Composer, dice: Dice) -> None:
    _fail(composer, dice, _some_run(composer, dice))


def _some_run(composer: Composer, dice: Dice) -> Run:
    """Mostly an open import; at times one that ended, another client's, or one that never started."""
    tenant_id = dice.pick(TENANTS)
    imports = composer.practice(tenant_id).imports
    still_open = [import_id for import_id, each in imports.items() if each["status"] in OPEN]
    pool = dice.pick((still_open,) * 10 + (list(imports),) * 3 + (["never-started"],) * dice.one_in(3))
    if not pool:
        return start_import(composer, dice)
    import_id = dice.pick(pool)
    client_id = imports[import_id]["client_id"] if import_id in imports else "c1"
    return tenant_id, dice.pick((*[client_id] * 30, *CLIENTS)), import_id


def _item_id(run: Run, tie: Tie) -> str:
    return item_id(
        run[0],
        run[1],
        xpm_relationship_id=tie.id,
        xpm_party_id=tie.party,
        relationship_type=tie.type,
        start_date=None,
    )


def _what_it_staged(composer: Composer, dice: Dice, run: Run) -> list[str]:
    """A list as it should be; or else with one too few, one too many, one twice, or another client's."""
    tenant_id, client_id, import_id = run
    items = composer.practice(tenant_id).items
    own = [
        key
        for key, item in items.items()
        if item["client_id"] == client_id and item["import_id"] == import_id
    ]
    others = [key for key, item in items.items() if item["client_id"] != client_id]
    unstaged = _item_id(run, dice.pick(TIES))
    return dice.pick(([*own], [*own], [*own], own[1:], [*own, unstaged], own * 2, own + others[:1]))


def _xpm_client_id(composer: Composer, dice: Dice, run: Run) -> str:
    """The client's, nearly always; another one fails the import."""
    tenant_id, client_id, import_id = run
    practice = composer.practice(tenant_id)
    client, known = practice.clients.get(client_id), practice.imports.get(import_id)
    usual = client["xpm_client_id"] if client and client["xpm_client_id"] else XPM_CLIENT_OF[client_id]
    has_list = known is not None and known["item_ids"] is not None
    return dice.pick((*[usual] * (10 if has_list else 60), "x4"))


def _stage_entity(composer: Composer, dice: Dice, run: Run) -> None:
    personal = in_xpm(dice, "client", {"title": ("Mr", "Ms"), **CLIENT_FIELDS})
    xpm_client_id = _xpm_client_id(composer, dice, run)
    _publish(composer, run, EntityStaged, {"xpm_client_id": xpm_client_id, "personal": personal})


def _stage_item(composer: Composer, dice: Dice, run: Run, tie: Tie) -> None:
    another = composer.practice(run[0]).items.keys()
    key = _item_id(run, tie)
    party = tie.party if tie.id is None else dice.pick((*[tie.party] * 8, *PARTIES))
    more = {
        "item_id": dice.pick([key] * 25 + list(another)[:1]),
        "xpm_client_id": _xpm_client_id(composer, dice, run),
        "xpm_party_id": party,
        "relationship": sent(
            {
                "xpm_relationship_id": tie.id or ABSENT,
                "type": dice.pick((*[tie.type] * 6, "Director", "Trustee")),
                "start_date": dice.pick((ABSENT, ABSENT, "2020-01-31", None)),
                "number_of_shares": dice.pick((ABSENT, ABSENT, 0, 2**63 - 1)),
                "percentage": dice.pick((ABSENT, ABSENT, "12.50")),
            }
        ),
        "archived": dice.pick((ABSENT, ABSENT, ABSENT, True)),
        "stub": dice.pick((ABSENT, ABSENT, ABSENT, True)),
        "details_as_of": dice.pick((ABSENT, "2026-11-22T23:59:59.999999Z", None)),
        "personal": in_xpm(dice, party),
    }
    _publish(composer, run, ItemStaged, more)


def _stage_list(composer: Composer, dice: Dice, run: Run, listed: Sequence[str]) -> None:
    left_out = dice.pick(({}, {"ended": 1, "party_deleted": 2, "unreadable": 4}))
    xpm_client_id = _xpm_client_id(composer, dice, run)
    more = {"xpm_client_id": xpm_client_id, "item_ids": list(listed), "left_out": left_out}
    _publish(composer, run, ImportStaged, more)


def _wait(composer: Composer, dice: Dice, run: Run) -> None:
    until = dice.pick(("2026-11-24T00:00:00Z", "2999-12-31T23:59:59.9999Z"))
    _publish(
        composer, run, ImportWaiting, {"until": until, "why": dice.pick(("quota_day", "source_invalid"))}
    )


def _fail(composer: Composer, dice: Dice, run: Run) -> None:
    reason = dice.pick(("source_unavailable", "not_connected", "client_not_found"))
    _publish(composer, run, ImportFailed, {"reason": reason, "message": "Connect and try again."})


def _publish(composer: Composer, run: Run, kind: type[ImportFact], more: dict[str, Any]) -> None:
    tenant_id, client_id, import_id = run
    data = {"import_id": import_id, "client_id": client_id, "requested_at": SENT_AT, **more}
    composer.emit(tenant_id, kind, sent(data))
