"""Records with a header whose name is not UTF-8, which Kafka takes and aiokafka cannot read.

aiokafka breaks on such a record whenever it meets it, so that one record would stop its partition for ever.
`make_readable` puts a reader in the place of aiokafka's that tries its fast one first, and where that breaks reads the
same batch once more, with the odd bytes of a name as surrogates (`surrogateescape`).
"""

import struct
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from aiokafka.consumer import fetcher
from aiokafka.record.default_records import _DefaultRecordBatchPy
from aiokafka.record.memory_records import MemoryRecords

BATCH_LENGTH = struct.Struct(">8xi")
"""A batch begins with its offset, and how many bytes of it are to come."""


def make_readable() -> None:
    """Let every consumer of this process read such records."""
    fetcher.MemoryRecords = _Records


def writable(name: str) -> str:
    """The name of a header as a producer can write it: an odd one becomes its bytes in hexadecimal."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return "muster-odd-header-" + name.encode("utf-8", "surrogateescape").hex()
    return name


class _Records:
    """What was fetched of a partition, batch by batch."""

    def __init__(self, fetched: bytes) -> None:
        self._fetched = fetched
        self._records = MemoryRecords(fetched)
        self._handed_out = 0

    def has_next(self) -> bool:
        return bool(self._records.has_next())

    def size_in_bytes(self) -> int:
        return int(self._records.size_in_bytes())

    def next_batch(self) -> "_Batch":
        batch = _Batch(self._records.next_batch(), partial(self._patient_batch, self._handed_out))
        self._handed_out += 1
        return batch

    def _patient_batch(self, number: int) -> Iterator[Any]:
        begin = end = 0
        for _ in range(number + 1):
            (length,) = BATCH_LENGTH.unpack_from(self._fetched, end)
            begin, end = end, end + BATCH_LENGTH.size + length
        return iter(_PatientBatch(self._fetched[begin:end]))


class _Batch:
    """A batch of aiokafka's, read again where reading breaks; whoever iterates passes over offsets it has had."""

    def __init__(self, batch: Any, again: Callable[[], Iterator[Any]]) -> None:
        self._batch = batch
        self._again = again

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batch, name)

    def __next__(self) -> Any:
        return next(self._batch)

    def __iter__(self) -> Iterator[Any]:
        try:
            yield from self._batch
        except UnicodeDecodeError:
            yield from self._again()


class _PatientBatch(_DefaultRecordBatchPy):  # type: ignore[misc]  # aiokafka ships no types
    """aiokafka's batch in Python, which reads slowly whatever is in it."""

    _buffer: Any

    def _maybe_uncompress(self) -> None:
        super()._maybe_uncompress()
        self._buffer = _PatientBytes(self._buffer)


class _PatientBytes(bytes):
    """Bytes of which any part can be read as text."""

    def __getitem__(self, part: Any) -> Any:
        found = super().__getitem__(part)
        return _PatientBytes(found) if isinstance(found, bytes) else found

    def decode(self, encoding: str = "utf-8", errors: str = "surrogateescape") -> str:
        return super().decode(encoding, errors)
