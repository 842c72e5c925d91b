"""Named queries from a `.sql` file beside its module.

    -- open_items --
    -- The items of a client that wait for a decision
    SELECT item_id FROM items WHERE tenant_id = $1 AND client_id = $2;

`QUERIES = queries.load("services.resolver", "queries.sql")` reads the file; `QUERIES.open_items` is its text.
"""

import re
from collections.abc import Iterator, Mapping
from importlib.resources import files

_HEADER = re.compile(r"^-- (?P<name>\w+) --\n-- (?P<purpose>\S.*)\n", re.MULTILINE)
_LIKE_A_HEADER = re.compile(r"^--\s*\w+\s*--\s*$", re.MULTILINE)


class Queries(Mapping[str, str]):
    """The queries of one file, by name; a name that is not in it raises at once and says which ones are."""

    def __init__(self, origin: str, texts: Mapping[str, str]) -> None:
        self._origin = origin
        self._texts = texts

    def __getitem__(self, name: str) -> str:
        try:
            return self._texts[name]
        except KeyError:
            raise KeyError(f"{self._origin} has no query {name!r}, only {', '.join(self._texts)}") from None

    def __getattr__(self, name: str) -> str:
        try:
            return self[name]
        except KeyError as error:
            raise AttributeError(error.args[0]) from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._texts)

    def __len__(self) -> int:
        return len(self._texts)


def load(package: str, name: str) -> Queries:
    """Read the queries of a package's file. Raises `ValueError` for a file that is not well formed."""
    return parse(f"{package}/{name}", files(package).joinpath(name).read_text(encoding="utf-8"))


def parse(origin: str, text: str) -> Queries:
    """Cut the text at its headers. Raises `ValueError` where a purpose or a body is missing or a name is not new."""
    headers = list(_HEADER.finditer(text))
    if len(headers) != len(_LIKE_A_HEADER.findall(text)):
        raise ValueError(f"{origin}: each `-- name --` needs a line below it that says its purpose")
    ends = [header.start() for header in headers[1:]] + [len(text)]
    texts: dict[str, str] = {}
    for header, end in zip(headers, ends, strict=True):
        name, body = header["name"], text[header.end() : end].strip()
        if name in texts or not body:
            raise ValueError(f"{origin}: the query {name!r} is empty or there twice")
        texts[name] = body
    return Queries(origin, texts)
