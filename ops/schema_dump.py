"""`migrations/schema.sql`: what the migrations come to, so that a review shows what a new one really does.

`python -m ops.schema_dump` writes it, on a Postgres that is started for the purpose; with `--check` it only says
whether the file is stale.
"""

import asyncio
import re
import sys
import tempfile
from pathlib import Path

from ops.migrate import migrate
from stack.postgres import EmbeddedPostgres, binary
from stack.settings import project

FILE = project() / "migrations" / "schema.sql"
HEADER = (
    "-- The schema that the migrations result in. Made by `make generate`; a test says when it is stale.\n\n"
)

_NOISE = re.compile(r"^(--.*|\\(un)?restrict .*|SET .*|SELECT pg_catalog\.set_config.*)\n", re.MULTILINE)
_BLANK_LINES = re.compile(r"\n{3,}")


async def dump(dsn: str) -> str:
    """The schema of a database, without comments and whatever changes from run to run."""
    process = await asyncio.create_subprocess_exec(
        binary("pg_dump"), "--schema-only", "--no-owner", dsn, stdout=asyncio.subprocess.PIPE
    )
    text, _ = await process.communicate()
    if process.returncode != 0:
        raise RuntimeError(f"pg_dump ended with {process.returncode}")
    return HEADER + _BLANK_LINES.sub("\n\n", _NOISE.sub("", text.decode())).strip() + "\n"


async def wanted() -> str:
    """What the file has to be."""
    with tempfile.TemporaryDirectory() as folder:
        server = EmbeddedPostgres(Path(folder) / "postgres")
        try:
            await server.start()
            await migrate(server.dsn)
            return await dump(server.dsn)
        finally:
            await server.stop()


def main() -> int:
    text = asyncio.run(wanted())
    if "--check" not in sys.argv:
        FILE.write_text(text, encoding="utf-8")
        return 0
    if FILE.read_text(encoding="utf-8") == text:
        return 0
    print(f"{FILE.name} is stale: run `make generate`", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
