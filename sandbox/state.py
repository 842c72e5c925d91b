"""Everything a running sandbox knows. It lives in memory: starting again gives the same world again."""

import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from sandbox import harbour
from sandbox.chance import made_up_uuid
from sandbox.dialect import AS_RECORDED
from sandbox.faults import Faults
from sandbox.mix import AS_USUAL, Mix
from sandbox.oauth import Application, Authority, Lives
from sandbox.practice import Practice
from sandbox.quota import APPLICATION, GENEROUS, Limits, MonotonicClock, Quota, Window
from sandbox.seeded import seeded_practice

Clock = Callable[[], datetime]


@dataclass(frozen=True)
class Tenancy:
    """A practice that can be connected, and the bearer token that reaches it. One token may reach several."""

    tenant_id: str
    token: str
    practice: Practice


def harbour_tenancy(token: str = harbour.TOKEN) -> Tenancy:
    """The hand-written practice, under an id that never changes."""
    return Tenancy(harbour.TENANT_ID, token, harbour.harbour_practice())


def made_up_tenancy(seed: str, size: int, token: str, mix: Mix = AS_USUAL) -> Tenancy:
    """A made-up practice; the seed alone decides its id. Raises `ties.CannotFill`."""
    return Tenancy(made_up_uuid("tenant", seed), token, seeded_practice(seed, size, mix))


@dataclass(frozen=True)
class Called:
    """A kind of call that was answered: whose, which (`client.api/get`), and with which HTTP status."""

    tenant: str | None
    method: str
    status: int


class Sandbox:
    """The practices, their quotas, the faults that are on, and a count of the calls so far."""

    def __init__(
        self,
        tenancies: Iterable[Tenancy],
        limits: Limits = GENEROUS,
        now: Clock = lambda: datetime.now(UTC),
        monotonic: MonotonicClock = time.monotonic,
        application: Application | None = None,
        lives: Lives | None = None,
    ) -> None:
        self.now = now
        self.limits = limits
        self.authority = Authority(now, application or Application(), lives or Lives())
        self.tenancies = {tenancy.tenant_id: tenancy for tenancy in tenancies}
        self.application = Window(APPLICATION, 60, 0, monotonic)
        self.quotas = {
            tenant: Quota(limits, self.application, monotonic, tenant) for tenant in self.tenancies
        }
        self.dialect = AS_RECORDED
        self.faults = Faults()
        self.dead_tokens: set[str] = set()
        """Access tokens that a fault has killed; clearing the faults brings them back."""
        self.calls: Counter[Called] = Counter()

    def now_for_ties(self) -> datetime | None:
        """The moment at which a changed relationship counts as a change of its record, if it does."""
        return self.now() if self.dialect.ties_count_as_changes else None

    def knows(self, token: str) -> bool:
        """Whether it is a token at all: a practice's own, or one that the sign-in service has issued."""
        return self.authority.issued(token) or any(token == each.token for each in self.tenancies.values())

    def is_over(self, token: str) -> bool:
        """Whether it was a token once."""
        return token in self.dead_tokens or (self.authority.issued(token) and self.authority.is_over(token))

    def ended(self, token: str) -> datetime:
        """When a token that is over ended; one that a fault has killed, now."""
        return self.now() if token in self.dead_tokens else self.authority.ends(token)

    def may_read(self, token: str, method: str) -> bool:
        """Whether the token's consent covers a method; a practice's own token reads everything."""
        return not self.authority.issued(token) or self.authority.may_read(token, method)

    def reached_by(self, token: str) -> dict[str, Tenancy]:
        """The practices that the token reaches."""
        if self.authority.issued(token):
            reached = {each.tenant_id for each in self.authority.reached_by(token)}
        else:
            reached = {tenant for tenant, tenancy in self.tenancies.items() if tenancy.token == token}
        return {tenant: tenancy for tenant, tenancy in self.tenancies.items() if tenant in reached}
