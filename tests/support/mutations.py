"""Documents with one thing changed, often by a hair, so that some are still right and most are not."""

import copy
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 0.5, 2**31 - 1, 2**31, 2**63 - 1, 2**63),
    *("", " ", "x", "x\n", "\n", "\x00", "a\x00b", "é", "😀", "null", "1", "1.0", "2.0"),
    *(
        "x" * size
        for size in (64, 65, 100, 101, 128, 129, 200, 201, 255, 256, 300, 301, 320, 321, 1000, 1001)
    ),
    *(
        "2024-02-29",
        "2023-02-29",
        "1900-02-29",
        "2000-02-29",
        "0000-01-01",
        "2026-04-31",
        "2026-1-1",
        "2026-12-31 ",
    ),
    *("2026-11-23T07:14:29Z", "2026-02-30T07:14:29Z", "2026-11-23T24:00:00Z", "2026-11-23T07:14:60Z"),
    *("2026-11-23T07:14:29+01:00", "2026-11-23t07:14:29z", "2026-11-23T07:14:29", "1969-12-31T23:59:59Z"),
    *("3000-01-01T00:00:00Z", "2026-11-23T07:14:29.1234567Z", "2026-11-23T07:14:29.123456Z"),
    *("0123456789abcdef" * 2, "0123456789ABCDEF" * 2, "0123456789abcdef" * 2 + "\n"),
    *("pending", "applied", "import", "client", "connected", "quota_day", "12.5", "12.", "1e3", "a_b", "A_b"),
    *([], {}, [None], ["x"], [{}], {"name": None}, {"name": "x"}, {"item": "0" * 32}),
)


@st.composite
def mutations(draw: st.DrawFn, document: dict[str, Any]) -> dict[str, Any]:
    """The document with one value replaced, altered, taken out or put in, at any depth."""
    changed = copy.deepcopy(document)
    container, key = draw(st.sampled_from(list(_places(changed))))
    match draw(st.sampled_from(("replace", "replace", "alter", "remove", "add"))):
        case "replace":
            container[key] = draw(st.sampled_from(VALUES))
        case "alter":
            container[key] = draw(st.sampled_from(_altered(container[key])))
        case "remove":
            del container[key]
        case "add" if isinstance(container, dict):
            container["unknown_field"] = draw(st.sampled_from(VALUES))
        case "add":
            container.append(draw(st.sampled_from(VALUES)))
    return changed


def _places(node: Any) -> Iterator[tuple[Any, Any]]:
    keys = list(node) if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ()
    for key in keys:
        yield node, key
        yield from _places(node[key])


def _altered(value: Any) -> list[Any]:
    match value:
        case bool():
            return [not value, int(value), str(value)]
        case int():
            return [value + 1, value - 1, str(value), value + 0.5]
        case str():
            return [
                value + "\n",
                value + " ",
                " " + value,
                value + "\0",
                value.upper(),
                value[:-1],
                value[1:],
                [value],
            ]
        case None:
            return [[], {}, "", False]
        case _:
            return [None, [value], list(value), str(value)]
