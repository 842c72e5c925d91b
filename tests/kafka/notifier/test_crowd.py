"""Many dashboards at once; `make streams` measures two thousand of them."""

from benchmarks.crowd import Crowd, listening, send
from tests.support.eventually import eventually
from tests.support.watching.running import Notifier
from worker.tokens import DEMO_KEY, Tokens

TENANTS = ("oak", "elm", "ash", "fir")
EACH = 40
EVENTS = 100
PER_SECOND = 50
LIMIT_SECONDS = 1.0
ALL = EVENTS * EACH


async def test_who_takes_nothing_costs_the_others_nothing(notifier: Notifier) -> None:
    """Everybody has everything within a second, also while some have stopped reading."""
    tokens = Tokens(DEMO_KEY)
    process = await notifier.start_process()
    try:
        await eventually(notifier.is_ready, timeout=60)
        crowd, deaf = Crowd(TENANTS), Crowd(TENANTS)
        async with listening(crowd, notifier.address, tokens, EACH):
            async with listening(deaf, notifier.address, tokens, EACH // 4, deaf=True):
                await send(crowd, notifier.settings, EVENTS, PER_SECOND)
                await eventually(lambda: len(crowd.seconds) == ALL, timeout=20)
            assert crowd.percentile(0.99) < LIMIT_SECONDS
            assert crowd.lost == 0
    finally:
        process.terminate()
        await process.wait()
