"""Encryption at rest: whatever is sealed can be opened with any of the keys, and is sealed with the first."""

from collections.abc import Mapping, Sequence

import orjson
from cryptography.fernet import Fernet, InvalidToken, MultiFernet

DEMO_KEY = "ZXZlcnlib2R5LWtub3dzLXRoaXMtZGVtby1rZXkhISE="
"""For demonstrations on one machine."""


class CannotOpen(Exception):
    """No key opens it, or it was sealed for another tenant. Give the key back that sealed it."""


class Keyring:
    """
    The keys, the newest first.

    What is sealed names its tenant inside, so that a row that was copied to another tenant opens nothing.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        """Raises `ValueError` for what is no Fernet key: 32 bytes in URL-safe base64."""
        fernets = [Fernet(key) for key in keys]
        self._newest = fernets[0]
        self._all = MultiFernet(fernets)

    def seal(self, tenant_id: str, values: Mapping[str, str | None]) -> bytes:
        return self._all.encrypt(orjson.dumps([tenant_id, values]))

    def open(self, tenant_id: str, sealed: bytes) -> dict[str, str | None]:
        """Raises `CannotOpen`."""
        try:
            owner, values = orjson.loads(self._all.decrypt(sealed))
        except InvalidToken:
            raise CannotOpen("no key opens it") from None
        if owner != tenant_id:
            raise CannotOpen("it belongs to another tenant")
        found: dict[str, str | None] = values
        return found

    def resealed(self, sealed: bytes) -> bytes | None:
        """The same under the newest key, or None if that is so already. Raises `CannotOpen`."""
        try:
            self._newest.decrypt(sealed)
        except InvalidToken:
            pass
        else:
            return None
        try:
            return self._all.rotate(sealed)
        except InvalidToken:
            raise CannotOpen("no key opens it") from None
