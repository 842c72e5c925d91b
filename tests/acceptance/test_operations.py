"""docs/operations.md, typed by a test: what to type when something happens, and what is said then."""

import pytest

from stack.ports import free_port
from tests.support.operating import Office, open_office
from tests.support.walking import replays, scenarios
from tests.support.walking.page import PAGE, blocks
from tests.support.walking.walk import SCENARIOS, Walk

assert replays.scenario is scenarios.scenario, "importing them has made the scenarios known"

ON_THE_PAGE = {block.scenario for block in blocks(PAGE.read_text(encoding="utf-8"))}


@pytest.fixture
async def office(kafka_address, database, topic_prefix, tmp_path) -> Office:
    """Topics and tables of the test's own, a practice that is connected, and nobody where XPM should be."""
    return await open_office(
        kafka_address,
        database,
        topic_prefix,
        tmp_path,
        xpm_url=f"http://127.0.0.1:{free_port()}",
        xpm_connections={"northgate": {"xpm_tenant_id": "x", "access_token": "a"}},
    )


@pytest.mark.parametrize("name", sorted(SCENARIOS))
async def test_what_the_page_says_is_what_happens(name: str, office: Office) -> None:
    """Every block of the scenario is typed in its order, and says what stands below it."""
    walk = Walk(name, office)

    await SCENARIOS[name](walk)

    walk.end()


def test_every_command_block_of_the_page_is_typed_by_a_scenario() -> None:
    """A block that nobody types would drift from what really happens."""
    idle = [
        block.line
        for block in blocks(PAGE.read_text(encoding="utf-8"))
        if block.language != "console" or block.scenario not in SCENARIOS
    ]

    assert idle == []
    assert set(SCENARIOS) == ON_THE_PAGE
