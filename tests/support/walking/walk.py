"""Walking through a scenario's blocks, one after the other, with whatever happens between them."""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.operating import Office
from tests.support.processes import variables_of
from tests.support.walking.page import Block, Command, matches, of_scenario

TYPED_WITHIN = 60.0


@dataclass
class Walk:
    """The blocks of a scenario. `next` types the one that comes next; in the end none may be left."""

    name: str
    office: Office
    blocks: list[Block] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)
    """What stands on the page for something whose real name only the test knows."""

    def __post_init__(self) -> None:
        self.blocks = of_scenario(self.name)

    def stands_for(self, on_the_page: str, really: str) -> None:
        """A person would type `really` where the page says something else."""
        self.names[on_the_page] = really

    async def next(self) -> None:
        """Type the next block, and compare what is said with what the page says."""
        assert self.blocks, f"the page has no more blocks of the scenario {self.name}"
        block, code = self.blocks.pop(0), 0
        assert block.commands, f"line {block.line}: nothing is typed in this block"
        for command in block.commands:
            code, said = await self._type(command, code)
            expected = [self._real(line) for line in command.said]
            where = f"docs/operations.md, block in line {block.line}: $ {command.typed}"
            assert matches(expected, said), f"{where}\nexpected\n{chr(10).join(expected)}\nsaid\n{said}"

    def end(self) -> None:
        """Every block of the scenario was typed."""
        left = [block.line for block in self.blocks]
        assert not left, f"nobody types the blocks of {self.name} in lines {left} of docs/operations.md"

    async def _type(self, command: Command, code: int) -> tuple[int, str]:
        process = await asyncio.create_subprocess_exec(
            "bash",
            "-c",
            f"(exit {code}); {self._real(command.typed)}",
            env=self._environment(),
            cwd=self.office.folder,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await asyncio.wait_for(process.communicate(), TYPED_WITHIN)
        audit = b'"event": "audit"'
        complaints = b"\n".join(line for line in err.splitlines() if audit not in line)
        said = (out + complaints).decode()
        return process.returncode or 0, said.replace(self.office.settings.topic_prefix, "")

    def _real(self, text: str) -> str:
        for on_the_page, really in self.names.items():
            text = text.replace(on_the_page, really)
        return text

    def _environment(self) -> dict[str, str]:
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        ours = {"PATH": path, "COLUMNS": "120", "MUSTER_OPERATOR": "ada@desk"}
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("MUSTER_")}
        return {**inherited, **ours, **variables_of(self.office.settings)}


Scenario = Callable[[Walk], Awaitable[None]]
SCENARIOS: dict[str, Scenario] = {}


def scenario(name: str) -> Callable[[Scenario], Scenario]:
    """Have a function be a scenario of the page: it gets a walk, and types all of its blocks."""

    def register(function: Scenario) -> Scenario:
        SCENARIOS[name] = function
        return function

    return register
