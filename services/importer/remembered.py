"""What imports had read when they had to wait: a client with more parties than XPM allows calls takes several goes."""

from collections import OrderedDict

from services.importer.domain import Party

PARTIES = 50_000
"""About 100 MB. Beyond it the import that was read longest ago is forgotten: it reads its parties again."""


class Remembered:
    """Parties by import, in memory only."""

    def __init__(self, limit: int = PARTIES) -> None:
        self._limit = limit
        self._imports: OrderedDict[tuple[str, str], dict[str, Party]] = OrderedDict()

    def of(self, tenant_id: str, import_id: str) -> dict[str, Party]:
        """What the import has read so far, to be added to."""
        found = self._imports.setdefault((tenant_id, import_id), {})
        self._imports.move_to_end((tenant_id, import_id))
        while len(self._imports) > 1 and sum(map(len, self._imports.values())) > self._limit:
            self._imports.popitem(last=False)
        return found

    def forget(self, tenant_id: str, import_id: str) -> None:
        """The import has ended."""
        self._imports.pop((tenant_id, import_id), None)
