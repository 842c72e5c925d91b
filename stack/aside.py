"""A folder beside the real place, for what is not complete yet."""

import contextlib
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

FORGOTTEN_AFTER = 3600.0
"""Seconds after which an unfinished folder is taken to be that of a process that was killed."""


@contextlib.contextmanager
def aside(folder: Path, purpose: str) -> Iterator[Path]:
    """Work in a folder of one's own on the same disk, so that what is ready can be moved into place at once."""
    folder.mkdir(parents=True, exist_ok=True)
    for left in folder.glob("unfinished-*"):
        if left.stat().st_mtime < time.time() - FORGOTTEN_AFTER:
            shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=f"unfinished-{purpose}-") as path:
        yield Path(path)
