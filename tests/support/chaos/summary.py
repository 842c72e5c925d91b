"""What a round was like, in a line: whether there was anything to survive."""

from collections import Counter

from schemas.topics import DEAD_LETTERS, JOURNAL, OUTCOMES, PROGRESS, REQUESTS
from tests.support.chaos.evidence import Evidence
from tests.support.chaos.imports import IMPORTER, readable
from tests.support.chaos.world import World


def summary(seed: int, world: World, evidence: Evidence) -> str:
    """How much there was, how often services were killed, and how much was published again for that."""
    records = {topic: evidence.records[topic] for topic in (REQUESTS, JOURNAL, OUTCOMES, PROGRESS)}
    facts = Counter(
        (each.event.tenant_id, each.event.id)
        for each in readable(evidence, JOURNAL)
        if each.event.source == IMPORTER
    )
    again = {
        "facts": facts.total() - len(facts),
        "outcomes": len(records[OUTCOMES]) - len({record.value for record in records[OUTCOMES]}),
        "progress": len(records[PROGRESS]) - len({record.value for record in records[PROGRESS]}),
    }
    return "; ".join(
        (
            f"seed {seed}",
            ", ".join(f"{len(found)} on {topic.name}" for topic, found in records.items()),
            f"{sum(len(evidence.records[topic]) for topic in DEAD_LETTERS)} dead letters",
            "killed " + ", ".join(f"{name} {minder.kills}x" for name, minder in world.minders.items()),
            "published again " + ", ".join(f"{number} {name}" for name, number in again.items()),
        )
    )
