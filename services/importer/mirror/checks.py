"""Parties that are looked up although a list of everything should have brought them: a few for each such list."""

from datetime import datetime

CHECKS = 10
"""The others are gone."""


class Checks:
    """Shares them out among the imports that this process has in hand."""

    def __init__(self) -> None:
        self._begun: dict[str, tuple[datetime, int]] = {}

    def begin(self, tenant_id: str, listed_at: datetime, made: int, wanted: int) -> int:
        """How many of those that are wanted may be begun; `made` were, by all processes, when last looked at."""
        begun = max(made, self._of(tenant_id, listed_at))
        more = min(wanted, max(CHECKS - begun, 0))
        self._begun[tenant_id] = listed_at, begun + more
        return more

    def give_up(self, tenant_id: str, listed_at: datetime, number: int) -> None:
        """So many that were begun came to nothing."""
        self._begun[tenant_id] = listed_at, max(self._of(tenant_id, listed_at) - number, 0)

    def _of(self, tenant_id: str, listed_at: datetime) -> int:
        of, begun = self._begun.get(tenant_id, (listed_at, 0))
        return begun if of == listed_at else 0
