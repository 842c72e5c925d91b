"""What stands in the headers of a dead letter, beside those that the record had."""

from typing import Any

PREFIX = "muster-dead-letter-"

_TEXT = {"type": "string"}
_NUMBER = {"type": "string", "pattern": "^[0-9]+$"}
_INSTANT = {"type": "string", "format": "date-time"}

WHY = {
    "too_large": "it is larger than what is read",
    "not_json": "it is empty, or not JSON in UTF-8",
    "not_schema": "it is not what its type says",
    "unknown_type": "its topic carries no such type",
    "misrouted": "its key is not its tenant's id, or it is on another partition than its key's",
    "id_reused": "another request was made under its id",
    "failed": "the service could not process it, and `error` says more",
}

HEADERS: dict[str, tuple[dict[str, Any], str]] = {
    "id": (_TEXT, "Derived: the same letter, sent again after a crash, has the same id."),
    "group": (_TEXT, "The service that could not process the record."),
    "why": (
        {"type": "string", "enum": list(WHY)},
        "Why it could not: " + "; ".join(f"`{name}`, {meaning}" for name, meaning in WHY.items()) + ".",
    ),
    "detail": (_TEXT, "Where it breaks; never repeats a value of the record."),
    "topic": (_TEXT, "The topic on which the record was."),
    "partition": (_NUMBER, "Its partition there."),
    "offset": (_NUMBER, "Its offset there."),
    "timestamp": (_INSTANT, "Its broker timestamp there."),
    "at": (_INSTANT, "When it was given up."),
    "attempts": (_NUMBER, "How often it was tried."),
    "error": (_TEXT, "The name of the exception, if why is `failed` or `id_reused`; empty otherwise."),
}
