"""`--until`: a time, or an offset of one partition, as the end of each partition that is folded."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ops.ending import Misused
from ops.times import milliseconds, required_time
from services.resolver.replaying.journal import Journal
from worker.routing import partition_of

if TYPE_CHECKING:
    from worker.positions import Log, Place

_OFFSET = re.compile(r"(?:(?P<partition>\d+):)?(?P<offset>\d+)")


async def places(journal: Journal, until: str, tenant_id: str | None) -> dict[int, int]:
    """Up to where each partition is to be folded, the end not included. Raises `Misused`.

    `3:1200` is an offset of partition 3, and `1200` one of the tenant's partition; anything else has to be a time.
    """
    ends: Mapping[Place, Log] = await journal.logs()
    last = {place[1]: log.end for place, log in ends.items()}
    found = _OFFSET.fullmatch(until)
    if found is not None:
        return _of_offset(found, last, tenant_id)
    moment = required_time(until, datetime.now(UTC))
    firsts = await journal.offsets_at(milliseconds(moment))
    return {partition: _or(firsts[partition], end) for partition, end in last.items()}


def _of_offset(found: re.Match[str], last: Mapping[int, int], tenant_id: str | None) -> dict[int, int]:
    home = partition_of(tenant_id.encode(), len(last)) if tenant_id is not None else None
    partition = home if found["partition"] is None else int(found["partition"])
    if partition is None:
        raise Misused(
            "An offset belongs to one partition: say --until 3:1200 for offset 1200 of partition 3, or name a --tenant."
        )
    if partition not in last:
        raise Misused(f"The journal has partitions 0 to {max(last)}, and {partition} is none of them.")
    if home not in (None, partition):
        raise Misused(f"The records of {tenant_id} are in partition {home}, not in {partition}.")
    if int(found["offset"]) > last[partition]:
        raise Misused(f"Partition {partition} ends at offset {last[partition]}.")
    return {partition: int(found["offset"])}


def _or(first: int | None, end: int) -> int:
    return end if first is None else first
