"""The words that screens have for what Muster calls something."""

from collections.abc import Mapping
from datetime import date

from schemas.progress import IntegrationProgressed
from services.portal.records import OF_SEVERAL_LINES

STATUSES: Mapping[str, str] = {
    "queued": "Queued",
    "fetching": "Reading from XPM",
    "ready_for_review": "Ready for review",
    "in_review": "In review",
    "completed": "Completed",
    "failed": "Failed",
    "superseded": "Superseded",
}
KINDS: Mapping[str, str] = {
    "import": "Import",
    "bulk_import": "Import of several clients",
    "connection": "Connection",
    "client_added": "Client added from XPM",
}
CONNECTIONS: Mapping[str, str] = {
    "connected": "Connected to Xero Practice Manager",
    "reconnect_required": "Has to be connected again",
    "disconnected": "Disconnected from Xero Practice Manager",
}
WAITS: Mapping[str, str] = {
    "quota_minute": "Xero's limit per minute is used up",
    "quota_day": "Xero's limit per day is used up",
    "source_unavailable": "Xero Practice Manager does not answer",
    "source_invalid": "Xero Practice Manager sent something unreadable",
}
COUNTS: Mapping[str, str] = {
    "pending": "to review",
    "imported": "imported",
    "linked": "linked",
    "ignored": "ignored",
    "attached": "added to people you have",
    "withdrawn": "withdrawn",
    "left_out": "left out",
    "rejected": "refused",
    "replaced_fields": "details replaced",
}
ONE: Mapping[str, str] = {"replaced_fields": "detail replaced"}
BULK_COUNTS: Mapping[str, str] = {
    "queued": "queued",
    "fetching": "reading",
    "ready_for_review": "ready for review",
    "in_review": "in review",
    "completed": "completed",
    "failed": "failed",
    "superseded": "superseded",
}
STATES: Mapping[str, str] = {
    "pending": "waits for a decision",
    "imported": "was imported",
    "linked": "was linked",
    "ignored": "was ignored",
    "attached": "was added to a person you have",
    "withdrawn": "is no longer there to decide",
}
SOURCES: Mapping[str, str] = {
    "imported": "Imported from XPM",
    "linked": "Linked to XPM",
    "portal": "Recorded in the portal",
}
WITHDRAWN: Mapping[str, str] = {
    "not_in_xpm": "Xero Practice Manager no longer has this relationship.",
    "client_repointed": "The client was linked to another XPM client meanwhile.",
    "member_removed": "The person it was linked to was removed.",
}


def title(row: IntegrationProgressed) -> str:
    """What a row of progress is about."""
    personal = row.personal
    if row.kind == "bulk_import" and row.bulk is not None:
        return f"{row.bulk.total} clients"
    if row.kind == "connection":
        return (personal.practice_name if personal else None) or "The practice"
    return (personal.client_name if personal else None) or "A client"


def status(row: IntegrationProgressed) -> str:
    """How the row stands."""
    if row.status == "fetching" and row.waiting:
        return "Waiting"
    if row.kind == "connection" and row.connection:
        return {"connected": "Connected", "reconnect_required": "Reconnect", "disconnected": "Disconnected"}[
            row.connection
        ]
    if row.kind == "client_added" and row.status == "completed":
        return "Added"
    return STATUSES[row.status]


def tone(row: IntegrationProgressed) -> str:
    """The colour of its badge."""
    if row.status == "failed" or row.connection == "reconnect_required":
        return "bad"
    if row.status == "fetching" and row.waiting:
        return "waiting"
    if row.to_review:
        return "attention"
    if row.status == "completed":
        return "good"
    return "quiet" if row.status == "superseded" else "busy"


def numbers(row: IntegrationProgressed) -> list[str]:
    """Its counts in words; what is none is not said."""
    counts = row.counts.model_dump()
    if not row.to_review:
        counts["pending"] = 0  # what one that was superseded left open, the import after it counts
    said = [
        f"{counts[name]} {ONE.get(name, word) if counts[name] == 1 else word}"
        for name, word in COUNTS.items()
        if counts[name]
    ]
    if row.bulk is not None:
        bulk = row.bulk.model_dump()
        said = [f"{bulk[name]} {word}" for name, word in BULK_COUNTS.items() if bulk[name]] + said
    return said


def people(number: int) -> str:
    return {0: "no people yet", 1: "1 person"}.get(number, f"{number} people")


def value(field: str, text: str) -> str:
    """A detail in one line, as lists and comparisons show it."""
    if field in OF_SEVERAL_LINES:
        return ", ".join(line.strip().rstrip(",") for line in text.splitlines() if line.strip())
    return day(text) if field == "date_of_birth" else text


def day(text: str) -> str:
    """A day in words that are read the same everywhere: `9 Apr 1978`."""
    try:
        return f"{date.fromisoformat(text):%-d %b %Y}"
    except ValueError:
        return text
