"""Examples for the OpenAPI document, by the name of what they are examples of."""

from collections.abc import Mapping, Sequence
from typing import Any

DIGEST = "3f1c0b5e9a7d2468ace013579bdf0246"
COMMAND = "5b0f6e1c-6a3f-4a51-8d0b-0d5b7a1f2c3d"

EXAMPLES: Mapping[str, Sequence[Mapping[str, Any]]] = {
    "AddClient": [{"personal": {"name": "Pier Street Pottery", "account_email": "office@pier.example"}}],
    "AddFromXpm": [{"xpm_client_id": "c1d7e2a4-58b3-4f0e-8a96-3b1f6c20d70a"}],
    "RecordMember": [
        {"relationship": "Spouse", "personal": {"name": "Tom Ellison", "phone": "0400 000 000"}},
        {"co_owner": True, "personal": {"email": "tom@northlight.example"}},
    ],
    "RequestImports": [{"client_ids": ["northlight", "ellison-family-trust"]}],
    "ImportItem": [
        {"seen": DIGEST},
        {"seen": DIGEST, "co_owner": True, "personal": {"email": "mara@northlight.example"}},
    ],
    "LinkItem": [{"member_id": "northlight-tom", "seen_item": DIGEST, "seen_member": DIGEST}],
    "Decisions": [
        {
            "decisions": [
                {"item_id": "item-1", "decision": "import", "import_as": {"seen": DIGEST}},
                {"item_id": "item-2", "decision": "ignore"},
            ]
        }
    ],
    "ChoosePractice": [{"connection_id": "e1eede29-f875-4a5d-8470-17f6a29a88b1"}],
    "CommandState": [
        {"command_id": COMMAND},
        {
            "command_id": COMMAND,
            "result": "rejected",
            "reason": "email_taken",
            "message": "Another account co-owner of the practice has this e-mail.",
        },
    ],
    "ProblemDocument": [
        {
            "type": "urn:muster:problem:not-there",
            "title": "Not Found",
            "status": 404,
            "detail": "There is no such client.",
        }
    ],
}
