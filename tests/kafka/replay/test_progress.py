"""Integration progress, as `muster verify` and `muster replay` look at it along with the resolver's tables."""

import json

from tests.support.eventually import eventually
from tests.support.replaying.evidence import Evidence, check_progress, gather
from tests.support.replaying.place import Place, up


async def test_damage_in_integration_progress_is_found_and_mended(place: Place):
    """`verify` names the row, `replay --swap` mends it and tells it, under load or not."""
    await place.fill(40, seed=21)
    async with up(place.service("resolver", "1"), place.service("notifier", "1")):
        await place.rests()
        await eventually(lambda: _follows(place))
        right = await gather(place)
        async with place.database() as database:
            await database.execute(
                "UPDATE notifier.progress SET status = 'queued', "
                "shown = jsonb_set(shown::jsonb, '{status}', '\"queued\"')::json "
                "WHERE (tenant_id, row_id) = (SELECT tenant_id, min(row_id) FROM notifier.progress "
                "WHERE kind = 'import' AND status <> 'queued' GROUP BY tenant_id ORDER BY tenant_id LIMIT 1)"
            )
        wrong = await place.command("1", "verify", "--json")
        mended = await place.command("1", "replay", "--swap", "--json")
        again = await place.command("1", "verify", "--json")
        evidence = await gather(place)

    assert wrong.code == 1, wrong.aside
    (difference,) = wrong.document["differences"]
    assert (difference["table"], difference["different"]) == ("progress", 1)
    (example,) = wrong.document["examples"]
    assert example["columns"]["status"]["live"] == "queued"
    assert (mended.code, mended.document["mended_progress"]) == (0, 1), mended.aside
    assert (again.code, again.document["identical"]) == (0, True), again.aside
    assert _shown(evidence) == _shown(right)
    check_progress(evidence)


async def _follows(place: Place) -> bool:
    check_progress(await gather(place))
    return True


def _shown(evidence: Evidence) -> dict[tuple[str, str, str], dict]:
    """What readers see, but for the versions."""
    return {
        (row["tenant_id"], row["kind"], row["row_id"]): json.loads(row["shown"]) | {"version": 0}
        for row in evidence.shown
    }
