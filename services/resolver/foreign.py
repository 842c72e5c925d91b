"""Ids of another tenant: answered like unknown ones, and counted, so that somebody who tries them is noticed."""

from collections.abc import Iterable, Iterator

from prometheus_client import Counter

from schemas.decisions import ItemIgnored, ItemImported, ItemLinked
from schemas.portal import MemberRecorded, MemberRemoved
from services.resolver.domain.fold import Verdict
from worker import queries
from worker.projection import Database

QUERIES = queries.load("services.resolver", "foreign.sql")
FOREIGN_IDS = Counter(
    "muster_foreign_ids_total", "Commands refused as unknown whose id belongs to another tenant"
)
UNKNOWN = frozenset({"item_not_found", "member_not_found", "client_not_found"})
LOOKED_UP_PER_BATCH = 20
"""A look-up without the tenant visits the index once per tenant: a flood of made-up ids must not slow the others."""


async def count(database: Database, verdicts: Iterable[Verdict]) -> None:
    """Count the batch's refusals that named another tenant's id."""
    refused = [verdict for verdict in verdicts if verdict.reason in UNKNOWN]
    unknown = [one for verdict in refused for one in _unknown(verdict)][:LOOKED_UP_PER_BATCH]
    if unknown:
        tenants, ids = [tenant_id for tenant_id, _ in unknown], [one for _, one in unknown]
        FOREIGN_IDS.inc(await database.fetchval(QUERIES.count_foreign, tenants, ids))


def _unknown(verdict: Verdict) -> Iterator[tuple[str, str]]:
    event = verdict.record.event
    if event is None:
        return
    match verdict.reason, event.data:
        case "item_not_found", ItemImported(item_id=unknown) | ItemIgnored(item_id=unknown) | ItemLinked(
            item_id=unknown
        ):
            yield event.tenant_id, unknown
        case "member_not_found", (
            ItemLinked(member_id=unknown)
            | MemberRecorded(member_id=unknown)
            | MemberRemoved(member_id=unknown)
        ):
            yield event.tenant_id, unknown
        case "client_not_found", MemberRecorded(client_id=unknown) | MemberRemoved(client_id=unknown):
            yield event.tenant_id, unknown
