"""The journal's events as a consumer of another make would declare them, and the row that it keeps of each."""

from collections.abc import Iterable, Sequence

from pydantic import BaseModel

from benchmarks.peers.table import KEY, NAMES

Row = tuple[str | None, ...]


class Relationship(BaseModel):
    type: str | None = None
    start_date: str | None = None


class Person(BaseModel):
    name: str | None = None
    email: str | None = None
    phone: str | None = None
    date_of_birth: str | None = None
    address: str | None = None


class Data(BaseModel):
    import_id: str | None = None
    client_id: str | None = None
    item_id: str | None = None
    xpm_party_id: str | None = None
    relationship: Relationship = Relationship()
    personal: Person = Person()
    decided_by: str | None = None


class JournalEvent(BaseModel):
    """The envelope; what it does not name is left out."""

    tenantid: str
    subject: str
    id: str
    type: str
    time: str
    data: Data

    def row(self) -> Row:
        """In the order of `NAMES`."""
        data, tie, person = self.data, self.data.relationship, self.data.personal
        return (
            self.tenantid,
            self.subject,
            self.id,
            self.type,
            self.time,
            data.import_id,
            data.client_id,
            data.item_id,
            data.xpm_party_id,
            tie.type,
            tie.start_date,
            person.name,
            person.email,
            person.phone,
            person.date_of_birth,
            person.address,
            data.decided_by,
        )


def newest(rows: Iterable[Row]) -> list[Row]:
    """The last row of each key, in the keys' order: one statement may touch a row only once."""
    return sorted({row[: len(KEY)]: row for row in rows}.values())


def columns(rows: Sequence[Row]) -> list[list[str | None]]:
    return [list(column) for column in zip(*rows, strict=True)]


def upsert(table: str, source: str) -> str:
    """A statement that puts the rows of the source; the newer one wins."""
    changed = ", ".join(f"{name} = excluded.{name}" for name in NAMES if name not in KEY)
    return f"INSERT INTO {table} ({', '.join(NAMES)}) {source} ON CONFLICT ({', '.join(KEY)}) DO UPDATE SET {changed}"


def upsert_one(table: str) -> str:
    return upsert(table, f"VALUES ({', '.join(f'${number}' for number, _ in enumerate(NAMES, 1))})")


def upsert_many(table: str) -> str:
    arrays = ", ".join(f"${number}::text[]" for number, _ in enumerate(NAMES, 1))
    return upsert(table, f"SELECT * FROM unnest({arrays})")
