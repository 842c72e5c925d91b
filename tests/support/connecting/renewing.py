"""A process that uses a practice's tokens as fast as they are over: `python -m tests.support.connecting.renewing`."""

import asyncio
import json
import sys

import httpx

from sandbox import harbour
from services.importer import metrics
from services.importer.connecting.identity import Identity
from services.importer.connecting.keyring import Keyring
from services.importer.connecting.keys import Keys, Vault
from services.importer.xpm.api import Xpm
from services.importer.xpm.errors import Passing
from tests.support.connecting.desk import settings_for
from worker.database import open_pool


async def main(sandbox: str, dsn: str, key: str, until: int) -> dict[str, int]:
    """Read clients with tokens that it finds over, until it has renewed so many itself; what came of it."""
    settings = settings_for(sandbox, dsn, xpm_token_keys=key)
    session = {"role": "muster_importer", "search_path": "importer"}
    said = {"read": 0, "waited": 0}
    renewed = metrics.TOKENS_RENEWED.labels("renewed")
    async with httpx.AsyncClient() as http, open_pool(settings, "renewing", 4, **session) as pool:
        application = settings.application
        assert application is not None
        vault = Vault(pool, Keyring([key]), Identity(http, application), http, sandbox, lambda: None)
        keys = Keys({}, sandbox, vault)
        while renewed._value.get() < until:
            await pool.execute("UPDATE connections SET refresh_at = clock_timestamp()")
            try:
                await Xpm(http, await keys.of("t1")).read_client(harbour.MARA)
                said["read"] += 1
            except Passing:
                said["waited"] += 1
    return said | {"lost": int(metrics.TOKENS_RENEWED.labels("lost")._value.get())}


if __name__ == "__main__":
    sandbox, dsn, key, until = sys.argv[1:]
    sys.stdout.write(json.dumps(asyncio.run(main(sandbox, dsn, key, int(until)))))
