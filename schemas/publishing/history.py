"""Every version of every schema that was ever published. Versions are added, and never changed or taken away.

`published/history/<type>/<number>.json`, counted from 1, with their checksums in `SHA256SUMS` (`sha256sum --check`).
"""

import json
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from schemas.publishing.compatibility import Break, breaks, constraints

CHECKSUMS = "SHA256SUMS"

Schemas = Mapping[str, Mapping[str, Any]]
"""A schema for each type of event, by the type's name on the wire."""


class History:
    """The published versions in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def versions(self) -> dict[str, list[dict[str, Any]]]:
        """The versions of each type, oldest first."""
        return {
            folder.name: [json.loads(file.read_text("utf-8")) for file in _numbered(folder)]
            for folder in sorted(self._folder.glob("*/"))
        }

    def release(self, present: Schemas) -> list[Path]:
        """Keep the schemas that say something else than the last version of their type, and return their files."""
        published = self.versions()
        added = []
        for type_name, schema in present.items():
            known = published.get(type_name, [])
            if not known or constraints(known[-1]) != constraints(schema):
                added.append(self._add(type_name, len(known) + 1, schema))
        self._seal(added)
        return added

    def damage(self) -> list[str]:
        """What was changed, taken away or slipped in since it was published."""
        sealed = {line[2]: line[0] for line in (seal.partition("  ") for seal in self._seals())}
        found = {file.relative_to(self._folder).as_posix(): _checksum(file) for file in self._files()}
        differing = {name for name in sealed.keys() | found.keys() if sealed.get(name) != found.get(name)}
        return [f"{name} is not as it was published" for name in sorted(differing)]

    def broken_promises(self, present: Schemas) -> Iterator[tuple[str, Break]]:
        """Where the present schemas would no longer read what was published."""
        for type_name, versions in self.versions().items():
            now = present.get(type_name)
            for number, before in enumerate(versions, start=1):
                which = f"{type_name}, version {number}"
                if now is None:
                    yield which, Break("", "removed_type", "nothing reads this type any more")
                else:
                    yield from ((which, each) for each in breaks(before, now))

    def _add(self, type_name: str, number: int, schema: Mapping[str, Any]) -> Path:
        file = self._folder / type_name / f"{number}.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("x", encoding="utf-8") as written:
            written.write(as_text(schema))
        return file

    def _seal(self, files: list[Path]) -> None:
        seals = [f"{_checksum(file)}  {file.relative_to(self._folder).as_posix()}" for file in files]
        if seals:
            text = "".join(f"{line}\n" for line in [*self._seals(), *seals])
            (self._folder / CHECKSUMS).write_text(text, "utf-8")

    def _seals(self) -> list[str]:
        file = self._folder / CHECKSUMS
        return file.read_text("utf-8").splitlines() if file.exists() else []

    def _files(self) -> Iterator[Path]:
        return (file for file in self._folder.rglob("*") if file.is_file() and file.name != CHECKSUMS)


def as_text(document: Mapping[str, Any]) -> str:
    """A JSON document as it is checked in."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _numbered(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.json"), key=lambda file: int(file.stem))


def _checksum(file: Path) -> str:
    return sha256(file.read_bytes()).hexdigest()
