"""Why a record is refused: every reason with the sentence that a person reads."""

from typing import Any

REASONS = {
    "id_reused": "Another event with other content was published under this id. Publish it under an id of its own.",
    "client_not_found": "There is no such client in the portal.",
    "member_not_found": "There is no such person under this client.",
    "member_removed": "This person was removed from the client.",
    "name_required": "A new client or person needs a name.",
    "xpm_client_taken": "Another client of the practice is linked to this XPM client.",
    "email_required": "An account co-owner needs an e-mail.",
    "email_invalid": "This is not an e-mail address.",
    "email_taken": "Another account co-owner of the practice has this e-mail.",
    "import_already_started": "This import was started before.",
    "import_not_started": "The import that this belongs to was never started.",
    "import_ended": "The import that this belongs to has ended.",
    "superseded": "A later import of this client has brought everything since.",
    "older_details": "A later import has brought the client's details since.",
    "already_staged": "This or a later import has brought this relationship before.",
    "item_of_another_client": "This relationship belongs to another client.",
    "xpm_client_mismatch": "The client is linked to another XPM client than the one that was read. Import it again.",
    "item_not_found": "There is no such item to decide.",
    "item_withdrawn": "This item is no longer there to decide: XPM no longer has it, or its client or person changed.",
    "already_decided": "Somebody has dealt with this item before.",
    "changed_since_seen": "The details have changed since they were shown. Look at them again and decide.",
    "member_exists": "A person has the id that this import would give. Publish the command under another id.",
    "member_already_linked": "This person is linked to somebody else in XPM.",
    "resolver_failed": "Muster could not process this event. It is kept, and processed after the fault is mended.",
}


class Refusal(Exception):
    """A rule refuses the record. What was changed before it was raised stays: a rule refuses before it changes."""

    def __init__(self, reason: str, **present: Any) -> None:
        super().__init__(reason)
        self.reason = reason
        self.present = present
        """Parts of the outcome that explain the refusal: `earlier`, or the present details in `personal`."""
