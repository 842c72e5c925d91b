"""schemathesis calls the portal as its OpenAPI document says: it never breaks, and answers as is written there.

Short here; `make fuzz-api` takes its time.
"""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, STDOUT
from pathlib import Path

from tests.support.browsing.serving import portal_process
from tests.support.portal_api import token_of
from tests.support.processes import running
from tests.support.system import Practice, System

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "unsupported_method",
)
SHORT = ("--phases", "fuzzing", "--max-examples", "8", "--seed", "1")
WITHOUT_END = "/api/progress/stream"
PLENTY = "1000000"


def options() -> list[str]:
    examples = os.environ.get("API_EXAMPLES")
    return ["--phases", "coverage,fuzzing", "--max-examples", examples] if examples else list(SHORT)


async def test_the_api_answers_as_its_document_says(
    system: System, practice: Practice, tmp_path: Path
) -> None:
    """No 5xx but those written down, no other status, no other content type, no other shape."""
    await practice.client_of_xpm("oak", "Ann")
    portal = portal_process(
        system, tmp_path, MUSTER_READS_PER_MINUTE=PLENTY, MUSTER_COMMANDS_PER_MINUTE=PLENTY
    )
    async with running(portal):
        process = await asyncio.create_subprocess_exec(
            Path(sys.executable).with_name("schemathesis"),
            "run",
            f"{portal.address}/api/openapi.json",
            "--header",
            f"Authorization: Bearer {token_of(practice.tenant_id)}",
            "--checks",
            ",".join(CHECKS),
            "--exclude-path",
            WITHOUT_END,
            "--suppress-health-check=all",
            "--warnings=off",
            "--no-color",
            "--workers=2",
            *options(),
            stdout=PIPE,
            stderr=STDOUT,
            cwd=tmp_path,
        )
        said, _ = await process.communicate()

    assert process.returncode == 0, said.decode()
