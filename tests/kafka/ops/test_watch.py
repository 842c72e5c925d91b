"""`muster watch` tells each record as it goes, in ids and states, and nothing that a person typed."""

import asyncio
import json
from contextlib import suppress

from ops.voice import Voice
from ops.watch_command import watch
from tests.support.eventually import eventually
from tests.support.watching.running import Notifier, prepare_notifier
from tests.support.watching.story import request


async def test_what_is_published_is_told_without_personal_data(
    kafka_address, database, topic_prefix, capsys
) -> None:
    """A line for each record of the practice; another's are left out."""
    notifier: Notifier = await prepare_notifier(kafka_address, database, topic_prefix)
    said: list[dict] = []

    def told() -> bool:
        said.extend(json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{"))
        return {"muster.requests", "muster.progress"} <= {each.get("topic") for each in said}

    async with notifier.running():
        watching = asyncio.create_task(watch(notifier.settings, "practice", Voice(as_json=True)))
        try:

            async def published() -> bool:
                await notifier.tell(request("i1", name="Ann Oak"), request("i2", tenant="somebody-else"))
                return told()

            await eventually(published, timeout=30, interval=0.5)
        finally:
            watching.cancel()
            with suppress(asyncio.CancelledError):
                await watching

    seen = [each for each in said if "topic" in each]
    assert {each["tenant_id"] for each in seen} == {"practice"}
    assert {each["topic"] for each in seen} == {"muster.requests", "muster.progress"}
    assert "import queued" in {each["says"] for each in seen}
    assert "Ann Oak" not in json.dumps(said)
