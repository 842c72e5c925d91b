"""The examples, run as somebody would who has copied them."""

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.support.system import Practice, System
from worker.tokens import DEMO_KEY, NOTIFIER, Tokens

EXAMPLES = Path(__file__).parents[2] / "examples"
PROGRAMS = sorted(path.name for path in EXAMPLES.glob("*.py"))
SECONDS = 30


@asynccontextmanager
async def running(program: str, *options: str) -> AsyncIterator[Process]:
    """A program in a folder where nothing of the project is at hand."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-I", EXAMPLES / program, *options, stdout=PIPE, stderr=PIPE, cwd="/"
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def finished(program: str, *options: str) -> tuple[int, str, str]:
    """Exit code, output and errors of a program that ends by itself."""
    async with running(program, *options) as process, asyncio.timeout(SECONDS):
        output, errors = await process.communicate()
        return process.returncode, output.decode(), errors.decode()


async def line_with(process: Process, *words: str) -> str:
    """The next line in which these words stand."""
    async with asyncio.timeout(SECONDS):
        async for line in process.stdout:
            if all(word in line.decode() for word in words):
                return line.decode()
    raise AssertionError(f"it ended without a line with {words}")


def where(system: System, practice: Practice) -> list[str]:
    settings = system.settings
    return ["--kafka", settings.kafka, "--prefix", settings.topic_prefix, "--tenant", practice.tenant_id]


async def client_in_xpm(practice: Practice) -> list[str]:
    oak = await practice.xpm.add("Oak Pty Ltd")
    for name in ("Ann", "Bob"):
        await practice.xpm.relate(oak, await practice.xpm.add(name), name)
    return ["--client", "oak", "--name", "Oak Pty Ltd", "--xpm-client", oak]


@pytest.mark.parametrize("program", PROGRAMS)
async def test_each_says_what_it_is_for(program: str) -> None:
    """`--help` needs nothing that runs."""
    code, output, errors = await finished(program, "--help")

    assert (code, errors) == (0, "")
    assert "--tenant" in output


@pytest.mark.parametrize("program", PROGRAMS)
def test_each_is_named_in_the_readme(program: str) -> None:
    """What is not named there is not found."""
    assert f"[{program}]({program})" in (EXAMPLES / "README.md").read_text(encoding="utf-8")


async def test_a_command_is_published_and_answered(system: System, practice: Practice) -> None:
    """The client is added, the import comes through, and the exit code says so."""
    code, output, errors = await finished(
        "publish_command.py", *where(system, practice), *await client_in_xpm(practice)
    )

    assert (code, errors) == (0, "")
    assert output.splitlines()[1] == "applied"
    assert output.splitlines()[-2:] == ["import is ready_for_review", "2 people to review"]


async def test_a_refusal_is_told_with_its_reason(system: System, practice: Practice) -> None:
    """An XPM client that belongs to another client of the portal is refused, in a sentence."""
    in_xpm = await client_in_xpm(practice)
    await practice.add_client("elm", in_xpm[-1])

    code, output, _ = await finished("publish_command.py", *where(system, practice), *in_xpm)

    assert code == 1
    assert output.splitlines()[1].startswith("rejected: ")
    assert output.strip().endswith(".")


async def test_progress_is_followed_on_kafka(system: System, practice: Practice) -> None:
    """What there is already, and what comes, each state of a row once and in order."""
    xpm_client_id = await practice.client_of_xpm("oak", "Ann")
    async with running("follow_progress_kafka.py", *where(system, practice)) as process:
        await line_with(process, "client_added oak completed")
        await practice.request("oak", xpm_client_id)
        await line_with(process, "import oak queued", "Nothing to do")
        await line_with(process, "import oak ready_for_review", "pending=1", "Review the people")


async def test_progress_is_followed_over_sse(system: System, practice: Practice) -> None:
    """What there is already, and what comes; and again after the notifier was killed, without a gap."""
    xpm_client_id = await practice.client_of_xpm("oak", "Ann")
    token = Tokens(DEMO_KEY).make(practice.tenant_id, NOTIFIER, 3600)
    options = ["--notifier", system.notifier, "--tenant", practice.tenant_id, "--token", token]
    async with running("follow_progress_sse.py", *options) as process:
        await line_with(process, "client_added oak completed")
        await practice.request("oak", xpm_client_id)
        await line_with(process, "import oak ready_for_review", "pending=1", "Review the people")
        await system.services["notifier"].kill()
        await practice.request("oak", xpm_client_id)
        await system.services["notifier"].start()
        await line_with(process, "import oak superseded")
