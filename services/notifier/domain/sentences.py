"""What a member of staff can do about a row, in a sentence; None where there is nothing to do."""

from schemas.progress import Status
from services.notifier.domain.rows import Row

FAILED = {
    "not_connected": "Connect the practice to Xero Practice Manager, then import again.",
    "reconnect_required": "Connect the practice to Xero Practice Manager again; then import again what failed.",
    "client_not_linked": "Add the client from Xero Practice Manager; one that is only in the portal can't be imported.",
    "client_not_found": "Check that the client is still in the portal and in Xero Practice Manager, then import again.",
    "forbidden": "Ask an administrator of the practice to let this connection read clients in Xero Practice Manager.",
    "source_unavailable": "Xero Practice Manager did not answer for too long: import again later.",
    "source_invalid": "Xero Practice Manager sent something unreadable: import again, and tell support if it stays.",
    "xpm_client_mismatch": "The client was linked to another XPM client meanwhile: import again.",
    "name_required": "Add the client again, with a name.",
    "xpm_client_taken": "Use the client that is already linked to this XPM client, or give that one another.",
    "email_invalid": "Correct the account's e-mail address and add the client again.",
    "email_taken": "Use an e-mail address that no other co-owner of the practice has, and add the client again.",
    "id_reused": "Add the client again.",
    "undone_by_replay": "Import the client again.",
    "resolver_failed": "Nothing to do: it is kept, and will be processed once the fault is mended.",
}
FAILED_OTHERWISE = "Try again, and tell support if it fails again."

WAITING = {
    "quota_minute": "Nothing to do: Xero's limit per minute is used up, and the import goes on by itself.",
    "quota_day": "Nothing to do: Xero's limit per day is used up, and the import goes on by itself.",
    "source_unavailable": "Nothing to do: Xero Practice Manager does not answer, and the import tries again by itself.",
    "source_invalid": "Nothing to do: Xero Practice Manager sent nonsense, and the import tries again by itself.",
}
WAITING_OTHERWISE = "Nothing to do: the import goes on by itself."

BY_STATUS: dict[Status, str] = {
    "queued": "Nothing to do: the import starts by itself.",
    "superseded": "A later import of this client took its place: review that one.",
}
REVIEW = "Review the people that came through."
SOME_FAILED = "Some imports failed: each of them says what to do."


def what_to_do(row: Row) -> str | None:
    """The sentence for a row as it stands."""
    if row.reviewable:
        return REVIEW
    if row.bulk:
        return SOME_FAILED if row.bulk.failed else None
    if row.status == "failed":
        return FAILED.get(row.reason or "", FAILED_OTHERWISE)
    if row.status == "fetching" and row.waiting:
        return WAITING.get(row.waiting.why, WAITING_OTHERWISE)
    return BY_STATUS.get(row.status)
