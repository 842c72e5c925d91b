"""The command blocks of a page: what is typed, and what is said then.

    ```console scenario=poison
    $ muster dead-letters list --why failed
    id        kept                 why ...
    ...
    $ echo $?
    1
    ```

A line that begins with `$ ` is typed; what follows it is what has to be said. There `...` stands for anything within a
line, and alone on a line for any number of lines; how many spaces there are does not matter.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).parents[3] / "docs" / "operations.md"

_FENCE = re.compile(r"^```(?P<info>[^\n`]*)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
_TYPED = "$ "


@dataclass(frozen=True)
class Command:
    """One line that is typed, and the lines that have to be said."""

    typed: str
    said: tuple[str, ...]


@dataclass(frozen=True)
class Block:
    """A fenced block: the line of the page it stands on, its language and scenario, and its commands."""

    line: int
    language: str
    scenario: str
    commands: tuple[Command, ...]


def blocks(text: str) -> list[Block]:
    """Every fenced block of a page."""
    return [_block(text, match) for match in _FENCE.finditer(text)]


def of_scenario(name: str) -> list[Block]:
    """The blocks of the page of operations that belong to a scenario, in their order."""
    return [each for each in blocks(PAGE.read_text(encoding="utf-8")) if each.scenario == name]


def matches(expected: Sequence[str], said: str) -> bool:
    """Whether what was said is what had to be."""
    pattern = "".join(_line_pattern(line) for line in expected)
    return re.fullmatch(pattern, _plain(said)) is not None


def _block(text: str, match: re.Match[str]) -> Block:
    language, _, rest = match["info"].strip().partition(" ")
    options = dict(each.partition("=")[::2] for each in rest.split())
    line = text.count("\n", 0, match.start()) + 1
    return Block(line, language, options.get("scenario", ""), tuple(_commands(match["body"].splitlines())))


def _commands(lines: Sequence[str]) -> Iterator[Command]:
    typed: str | None = None
    said: list[str] = []
    for line in lines:
        if line.startswith(_TYPED):
            if typed is not None:
                yield Command(typed, tuple(said))
            typed, said = line.removeprefix(_TYPED), []
        else:
            said.append(line)
    if typed is not None:
        yield Command(typed, tuple(said))


def _line_pattern(line: str) -> str:
    if line.strip() == "...":
        return r"(?:[^\n]*\n)*?"
    return ".*?".join(re.escape(part) for part in _plain(line).rstrip("\n").split("...")) + r"\n"


def _plain(text: str) -> str:
    """Without what a person would not see: runs of spaces, and spaces and empty lines at the ends."""
    lines = [re.sub(r"\s+", " ", line).strip() for line in text.strip("\n").splitlines()]
    return "".join(f"{line}\n" for line in lines)
