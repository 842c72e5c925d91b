"""Everything at once: load, kills, rebalances, restarts of the servers; and then every record is accounted for."""

import os
import random
from pathlib import Path

import pytest

from schemas.topics import JOURNAL, REQUESTS
from tests.support.chaos.disturbances import disturb
from tests.support.chaos.evidence import gather, has_come_to_rest
from tests.support.chaos.imports import check_the_importer
from tests.support.chaos.journal import check_the_resolver
from tests.support.chaos.letters import check_the_dead_letters, everything_that_was_sent_is_there
from tests.support.chaos.load import PRACTICES, Load, loading
from tests.support.chaos.post import open_post
from tests.support.chaos.progress import check_the_notifier
from tests.support.chaos.summary import summary
from tests.support.chaos.world import own_world
from tests.support.eventually import eventually

FIRST_SEED = int(os.environ.get("CHAOS_SEED", "1"))
ROUNDS = int(os.environ.get("CHAOS_ROUNDS", "1"))
SECONDS = float(os.environ.get("CHAOS_SECONDS", "0"))
"""How long parts are killed; everything happens at least once, however short that is."""
REST_SECONDS = 120


@pytest.mark.parametrize("seed", range(FIRST_SEED, FIRST_SEED + ROUNDS))
async def test_nothing_is_lost_or_doubled_whatever_is_killed(tmp_path: Path, seed: int) -> None:
    """Every record takes effect once, in order; what follows from it is told, and broken ones are kept."""
    async with own_world(tmp_path, PRACTICES) as world, open_post(world.settings) as post:
        async with loading(Load(world, post, seed)):
            await disturb(world, random.Random(seed), SECONDS)
        await eventually(lambda: has_come_to_rest(world), timeout=REST_SECONDS, interval=0.5)
        evidence = await gather(world)
        ends = world.ends

    print(summary(seed, world, evidence))  # noqa: T201 - `make chaos` shows it
    assert ends == []
    everything_that_was_sent_is_there(post.sent, evidence)
    check_the_dead_letters(evidence, world.settings)
    check_the_resolver(evidence, world.settings.partitions(JOURNAL))
    check_the_importer(evidence, world.settings.partitions(REQUESTS))
    check_the_notifier(evidence, world.settings.partitions(REQUESTS))
