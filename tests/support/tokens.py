"""Tokens as a portal's backend makes them, with the key that everybody knows."""

from worker.tokens import DEMO_KEY, NOTIFIER, Tokens

SECONDS = 3600


def as_reader_of(tenant_id: str) -> dict[str, str]:
    """The header with which somebody may follow a tenant's progress."""
    return {"Authorization": f"Bearer {Tokens(DEMO_KEY).make(tenant_id, NOTIFIER, SECONDS)}"}
