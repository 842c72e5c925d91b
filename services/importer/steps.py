"""What is done with a request in hand: one step towards the end of its import.

an announcement     is published, then the request waits
queued              XPM is read: the set of events is stored and published, or the request waits
stored              the set is published again, all of it and unchanged
ended               the last event is published again, for whoever asked again
"""

import asyncio
import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

import structlog

from schemas.topics import JOURNAL
from services.importer import course, domain, metrics
from services.importer.course import Fail, Patience, Wait
from services.importer.domain import Request
from services.importer.queue import Claimed, Queue
from services.importer.together import Together
from services.importer.xpm.errors import XpmError
from worker.failures import Verdict, classify
from worker.publisher import check_size
from worker.records import Outgoing

if TYPE_CHECKING:
    from services.importer.reading import Practices
    from worker.publisher import Publisher

log = structlog.get_logger(__name__)

EVENTS_OF_ONE = 200
"""Events of one import in one publication: between two of them others have their turn."""
EVENTS_AT_ONCE = 2_000
"""Events of one publication, of as many imports as have some to be published."""

STAGED = "staged"
NOT_LINKED = Fail(
    "client_not_linked",
    "This client exists only in the portal. Add it from Xero Practice Manager, then import again.",
)
CANNOT_STAGE = Fail(
    "source_invalid",
    "What Xero Practice Manager holds for this client could not be brought in. Tell support which client it is.",
)


class Steps:
    """The steps, with what they need."""

    def __init__(
        self, queue: Queue, practices: "Practices", publisher: "Publisher", patience: Patience
    ) -> None:
        self._queue = queue
        self._practices = practices
        self._publishing = Together(partial(_publish, publisher), EVENTS_AT_ONCE, len)
        self._patience = patience

    async def take(self, claimed: Claimed) -> bool:
        """Take the next step. Returns whether the request is out of hand by that; else it has to be given back.

        Raises `LeaseLost`, and what else keeps a step from being taken.
        """
        if claimed.announcement is not None:
            await self._announce(claimed, claimed.announcement)
            return False
        if claimed.status == "queued":
            return await self._import(claimed)
        events = (
            await self._queue.events(claimed) if claimed.status == "stored" else [claimed.last_event or b""]
        )
        await self._publish_and_end(claimed, events)
        return True

    async def _import(self, claimed: Claimed) -> bool:
        request = claimed.request
        if not claimed.waits:
            await self._publish(request, [domain.started(request)])
        match await self._read(claimed):
            case Wait() as wait:
                await self._park(claimed, wait)
                return False
            case Fail(reason, message):
                await self._store(claimed, [domain.failed(request, reason, message)], reason)
            case events:
                await self._store(claimed, events, STAGED)
        return True

    async def _read(self, claimed: Claimed) -> Sequence[bytes] | Wait | Fail:
        """The set of events, or what to do instead."""
        request, requested_at = claimed.request, _requested_at(claimed)
        if request.xpm_client_id is None:
            return NOT_LINKED
        if course.is_overdue(claimed.now(), requested_at, self._patience):
            return course.OVERDUE
        left = requested_at + self._patience.altogether - claimed.now()
        try:
            async with asyncio.timeout(left.total_seconds()) as until_overdue:
                return await self._ask_xpm(claimed, request.xpm_client_id)
        except XpmError as error:
            return self._after(claimed, error)
        except Exception as error:
            if until_overdue.expired():
                return course.OVERDUE
            if classify(error) is not Verdict.BROKEN:
                raise
            log.exception("staging_broke", tenant_id=request.tenant_id, import_id=request.import_id)
            return CANNOT_STAGE

    async def _ask_xpm(self, claimed: Claimed, xpm_client_id: str) -> Sequence[bytes]:
        now = claimed.now()
        last_attempt = course.is_last_attempt(now, claimed.trouble_since, self._patience)
        events = await self._practices.read(claimed.request, xpm_client_id, now, last_attempt=last_attempt)
        check_size(_to_journal(claimed.request, events))
        return events

    def _after(self, claimed: Claimed, error: XpmError) -> Wait | Fail:
        chance = random.random()  # noqa: S311 - not for secrets
        step = course.after(
            error, claimed.now(), _requested_at(claimed), claimed.trouble_since, self._patience, chance
        )
        log.info(
            "xpm_did_not_answer",
            tenant_id=claimed.request.tenant_id,
            import_id=claimed.request.import_id,
            reason=error.reason,
            detail=error.detail,
            correlation_id=error.correlation_id,
            next_step=type(step).__name__,
        )
        return step

    async def _park(self, claimed: Claimed, wait: Wait) -> None:
        if wait.whole_practice:
            await self._queue.pause(claimed.request.tenant_id, wait.until)
        announcement = domain.waiting(claimed.request, claimed.waits + 1, wait.until, wait.why)
        await self._queue.park(claimed, wait.until, wait.trouble_since, announcement)
        metrics.WAITS.labels(wait.why).inc()
        await self._announce(claimed, announcement)

    async def _announce(self, claimed: Claimed, announcement: bytes) -> None:
        await self._publish(claimed.request, [announcement])
        await self._queue.announced(claimed)

    async def _store(self, claimed: Claimed, events: Sequence[bytes], result: str) -> None:
        await self._queue.store(claimed, events)
        self._practices.forget(claimed.request)
        metrics.ENDED.labels(result).inc()
        await self._publish_and_end(claimed, events)

    async def _publish_and_end(self, claimed: Claimed, events: Sequence[bytes]) -> None:
        await self._publish(claimed.request, events)
        await self._queue.end(claimed)
        log.info("import_published", tenant_id=claimed.key[0], import_id=claimed.key[1], events=len(events))

    async def _publish(self, request: Request, events: Sequence[bytes]) -> None:
        for start in range(0, len(events), EVENTS_OF_ONE):
            await self._publishing(_to_journal(request, events[start : start + EVENTS_OF_ONE]))


async def _publish(publisher: "Publisher", some: Sequence[Sequence[Outgoing]]) -> list[None]:
    await publisher.publish([event for events in some for event in events])
    return [None] * len(some)


def _requested_at(claimed: Claimed) -> datetime:
    return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=claimed.request.requested_at)


def _to_journal(request: Request, events: Sequence[bytes]) -> list[Outgoing]:
    return [Outgoing(JOURNAL, request.tenant_id, event) for event in events]
