"""Requests for imports, as the importer has them and as they are on the wire."""

import time

from schemas.codec import content_digest, encode
from schemas.imports import ImportRequested
from services.importer.domain import Request

STAFF = "Anna Lindqvist"


def now_ms() -> int:
    return int(time.time() * 1000)


def request(
    import_id: str,
    client_id: str | None = None,
    tenant_id: str = "t1",
    xpm_client_id: str | None = "x1",
    requested_at: int | None = None,
) -> Request:
    """A request as it was taken off the topic, just now unless told; each is for a client of its own unless told."""
    return Request(
        tenant_id=tenant_id,
        import_id=import_id,
        client_id=client_id or f"client of {import_id}",
        xpm_client_id=xpm_client_id,
        requested_by=STAFF,
        bulk_id=None,
        requested_at=now_ms() if requested_at is None else requested_at,
    )


def content(of: Request) -> bytes:
    """What tells the request from another one under its id."""
    return content_digest("request", of.client_id, of.xpm_client_id)


def on_the_wire(import_id: str, client_id: str, tenant_id: str, xpm_client_id: str | None) -> bytes:
    """The event by which a portal asks."""
    linked = {"xpm_client_id": xpm_client_id} if xpm_client_id else {}
    return encode(
        ImportRequested(client_id=client_id, requested_by=STAFF, **linked),
        id=import_id,
        source="/tests",
        time="2026-11-23T08:00:00Z",
        subject=f"clients/{client_id}",
        tenant_id=tenant_id,
    )
