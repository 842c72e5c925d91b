"""Who holds what in this checkout: a lock that ends with its holder, and what the holder says about itself."""

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from stack.errors import StackBusy
from stack.settings import Addresses


@dataclass(frozen=True)
class Holder:
    """The process that holds a claim."""

    verb: str
    """The command it runs, as typed: `muster up`, `muster run`."""
    pid: int
    addresses: Addresses | None = None
    """Of the stack it has brought up; none while it is still at it."""

    def __str__(self) -> str:
        return f"`{self.verb}` (process {self.pid})"


class Claim:
    """A claim held by this process."""

    def __init__(self, path: Path, descriptor: int, verb: str) -> None:
        self._path = path
        self._descriptor = descriptor
        self._verb = verb
        self.publish(None)

    def publish(self, addresses: Addresses | None) -> None:
        """Tell whoever asks who holds it and where the stack is."""
        text = json.dumps(asdict(Holder(self._verb, os.getpid(), addresses)))
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, text.encode(), 0)

    @property
    def lost(self) -> bool:
        """Whether somebody has deleted the file, and the data with it."""
        try:
            return not os.path.samestat(self._path.stat(), os.fstat(self._descriptor))
        except FileNotFoundError:
            return True


@contextlib.contextmanager
def claim(path: Path, verb: str) -> Iterator[Claim]:
    """Hold a claim while inside. Raises StackBusy if another process does."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)  # it will hold a password
    try:
        if not locked(descriptor):
            raise StackBusy(
                f"{holder(path) or 'Another command'} is at work in this checkout. End it first: with Ctrl-C where it "
                "runs, or with `muster down` if it was `muster up`."
            )
        yield Claim(path, descriptor, verb)
    finally:
        os.close(descriptor)


def locked(descriptor: int, patience: float = 0.5) -> bool:
    """Take the lock, with patience for those who only look whether it is held and so hold it a moment themselves."""
    deadline = time.monotonic() + patience
    while not take(descriptor, fcntl.LOCK_EX):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def take(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def holder(path: Path, patience: float = 2.0) -> Holder | None:
    """Return who holds the claim, or None; wait for one who has only just come and not yet said who it is."""
    deadline = time.monotonic() + patience
    while path.exists() and time.monotonic() < deadline:
        with path.open("rb") as file:
            if take(file.fileno(), fcntl.LOCK_SH):
                return None
            with contextlib.suppress(ValueError):
                return parsed(file.read())
        time.sleep(0.02)
    return None


def parsed(text: bytes) -> Holder:
    said = json.loads(text)
    addresses = Addresses(**said["addresses"]) if said["addresses"] else None
    return Holder(said["verb"], said["pid"], addresses)
