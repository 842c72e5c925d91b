"""What an import needs of the mirror: its client if a list has just brought it, and the parties that are known.

Relationships are fresh in any case: a client's record comes from a call that was made for the import, or from a list
that began after the import was asked for.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.importer.domain import Party, Request
from services.importer.mirror import metrics
from services.importer.mirror.keeping import Keeping
from services.importer.mirror.store import State, Store
from services.importer.xpm import values
from services.importer.xpm.api import Xpm
from services.importer.xpm.errors import SourceInvalid, SourceUnavailable
from services.importer.xpm.records import Client

COLD_IMPORTS = 4
"""As many imports that wait are worth a list of everything, while the mirror is empty or old."""
LOOKUPS = 60
"""So are as many parties that were read one by one."""


@dataclass(frozen=True, slots=True)
class Freshness:
    """
    How old details may be when an import is asked for, how old a list of everything, and how many waiting imports are
    worth one at any time.
    """

    fresh: timedelta
    whole: timedelta
    imports: int


class Mirror:
    """The mirror as one import sees it; `listed` says that its client came from a list of everything.

    Whatever that list brought is fresh enough for the import: the list began after it was asked for.
    """

    def __init__(self, store: Store, freshness: Freshness, request: Request, xpm: Xpm, practice: str) -> None:
        self._store = store
        self._freshness = freshness
        self._tenant_id, self._import_id = request.tenant_id, request.import_id
        self._practice = practice
        self._keeping = Keeping(store, request.tenant_id, xpm)
        self._seen: State | None = None
        self._as_listed: State | None = None
        self._checking: tuple[datetime, int] | None = None

    @property
    def listed(self) -> bool:
        """Whether the client came from a list of everything."""
        return self._as_listed is not None

    async def client(self, xpm_client_id: str) -> Client | None:
        """The client from a list of everything, which is read first if enough imports wait for one."""
        try:
            wanted = values.identifier(xpm_client_id)
        except ValueError:
            return None
        while True:
            state = self._seen = await self._state(wanted)
            if state.covered:
                self._as_listed = state if state.client is not None else None
                return state.client
            if not self._is_everything_due(state):
                return None
            await self._keeping.read_everything()

    async def known(self, party_ids: Sequence[str]) -> dict[str, Party]:
        """The parties that are known and fresh, after a look at what has changed if that is due."""
        state = self._as_listed or self._still_fresh() or await self._state()
        while state.fresh_at is not None and self._is_stale(state) and state.lists_work:
            try:
                old = self._is_old(state)
                read = self._keeping.read_everything() if old else self._keeping.read_changes(state.fresh_at)
                is_read = await read
            except (SourceUnavailable, SourceInvalid):
                break  # there is the other road: one by one
            state = await self._state()
            if is_read:
                break
        if state.fresh_at is not None:
            metrics.AGE.set((state.now - state.fresh_at).total_seconds())
        found = await self._store.parties(self._tenant_id, party_ids, self._good_from(state))
        metrics.PARTIES.labels("mirror").inc(len(found))
        return found

    async def gone(self, party_ids: Sequence[str]) -> dict[str, Party]:
        """Of parties that are not known, those that XPM does not have, as far as that needs no call.

        The list that brought this client would have brought them, since it brought archived clients too. Some are
        looked up all the same, in case it is the list that is at fault.
        """
        state = self._as_listed
        if not party_ids or state is None or state.full_at is None or not state.sees_archived:
            return {}
        checks = self._store.checks.begin(self._tenant_id, state.full_at, state.checks, len(party_ids))
        self._checking = state.full_at, checks
        gone = {party_id: Party(None, state.full_at) for party_id in party_ids[checks:]}
        metrics.PARTIES.labels("gone").inc(len(gone))
        if gone:
            await self._store.keep_found(self._tenant_id, gone)
        return gone

    async def looked_up(self, parties: Mapping[str, Party]) -> None:
        """Keep what was read one by one."""
        metrics.PARTIES.labels("lookup").inc(len(parties))
        await self._store.keep_found(self._tenant_id, parties)
        await self._store.looked_up(self._tenant_id, len(parties), len(parties) if self.listed else 0)

    def not_looked_up(self) -> None:
        """What was to be looked up could not be read: other imports may try."""
        if self._checking is not None:
            self._store.checks.give_up(self._tenant_id, *self._checking)

    async def _state(self, xpm_client_id: str | None = None) -> State:
        return await self._store.state(self._tenant_id, self._practice, self._import_id, xpm_client_id)

    def _still_fresh(self) -> State | None:
        """What was seen before the client was read; what is fresh for an import stays fresh for it."""
        return self._seen if self._seen and not self._is_stale(self._seen) else None

    def _is_everything_due(self, state: State) -> bool:
        if not state.lists_work:
            return False
        if self._is_old(state):
            return state.waiting >= COLD_IMPORTS or state.lookups >= LOOKUPS
        return state.waiting >= self._freshness.imports

    def _is_old(self, state: State) -> bool:
        return state.full_at is None or state.now - state.full_at > self._freshness.whole

    def _is_stale(self, state: State) -> bool:
        return state.fresh_at is None or state.fresh_at < self._good_from(state)

    def _good_from(self, state: State) -> datetime:
        """What was read by then had been asked for lately enough: an import that waits gets no older details by it."""
        return state.asked_at - self._freshness.fresh
