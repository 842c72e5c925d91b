"""Redriven records: copies of dead letters, appended to their own topic again, each meant for one group.

A copy keeps the key, the bytes (and so the event's id) and the headers of the record; these headers of ours are added.
Every group that is not meant passes a copy by, as if it were not there.
"""

from worker.records import Headers

GROUP = "muster-redrive-group"
LETTER = "muster-redrive-letter"
COUNT = "muster-redrive-count"
"""How often the record was redriven by then, this time included."""


def is_for(group: str, headers: Headers) -> bool:
    """Whether a group has to take the record: it is no copy, or the copy is meant for this group."""
    for name, value in reversed(headers):
        if name == GROUP:
            return value == group.encode()
    return True
