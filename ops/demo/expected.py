"""How the story has to end; `make demo` compares."""

from collections.abc import Sequence
from typing import Any

Summary = dict[str, Any]


def summary(members: Sequence[dict[str, Any]]) -> list[Summary]:
    """What matters of the members at the end."""
    return [
        {
            "name": member["details"].get("name"),
            "email": member["details"].get("email"),
            "phone": member["details"].get("phone"),
            "co_owner": member["co_owner"],
            "linked": member["linked"],
            "relationships": member["relationships"],
            "kept": {
                field: origin["xpm"]
                for field, origin in member["provenance"].items()
                if origin["by"] == "staff" and origin.get("xpm") not in (None, member["details"].get(field))
            },
        }
        for member in members
    ]


EXPECTED: list[Summary] = [
    {
        "name": "D'Arcy Okafor",
        "email": None,
        "phone": None,
        "co_owner": False,
        "linked": True,
        "relationships": ["Public Officer"],
        "kept": {},
    },
    {
        "name": "Ellison Holdings Pty Ltd ATF Ellison Family Trust",
        "email": "mara@northlight.example",
        "phone": "(02) 5550 0199",
        "co_owner": False,
        "linked": True,
        "relationships": ["Shareholder"],
        "kept": {},
    },
    {
        "name": "Ellison, Tomas",
        "email": "tom@northlight.example",
        "phone": "0491 570 222",
        "co_owner": False,
        "linked": True,
        "relationships": ["Director"],
        "kept": {},
    },
    {
        "name": "Mara J. Ellison",
        "email": "mara@northlight.example",
        "phone": "0491 570 110",
        "co_owner": True,
        "linked": True,
        "relationships": ["Director", "Shareholder"],
        "kept": {"name": "Mara Ellison"},
    },
]
