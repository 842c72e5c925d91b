"""What replay and verification say of integration progress, beside what they say of the resolver's tables."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from ops.voice import Voice
from ops.words import some
from services.notifier.rebuilding import rebuild
from services.notifier.rebuilding.rebuild import Rebuilt
from services.resolver.replaying.course import Course
from services.resolver.replaying.report import Report
from worker.differences import Count, Example
from worker.settings import Settings

TENANTS_WITH_EXAMPLES = 5


class Showing(NamedTuple):
    """How many rows to show of each kind of difference, and whether with what they say about people."""

    each: int
    personal: bool


class Checked(NamedTuple):
    """What the notifier's rows came to, with examples of those that differ."""

    rebuilt: Rebuilt
    examples: Sequence[Example]

    @property
    def identical(self) -> bool:
        return not self.rebuilt.counts

    def added_to(self, report: Report) -> Report:
        """The report of the resolver's tables, and this as one table more."""
        return replace(
            report,
            counts=[*report.counts, *self.rebuilt.counts],
            compared={**report.compared, rebuild.TABLE: self.rebuilt.rows},
        )


async def check(voice: Voice, settings: Settings, run: Course, showing: Showing, *, mend: bool) -> Checked:
    """Fold integration progress beside the live rows and compare; let the live ones follow if they are to be mended."""
    async with rebuild.begun(settings, run.database, voice) as progress:
        found = await progress.compare()
        tenants = most_differing(found.counts)
        examples = (
            await progress.examples(tenants, showing.each, personal=showing.personal) if showing.each else ()
        )
        if mend:
            found = await progress.mend(found)
    return Checked(found, examples)


async def tell_what_is_left(voice: Voice, settings: Settings, run: Course) -> None:
    """Publish what an earlier run has mended and did not come to tell."""
    told = await rebuild.tell(settings, run.database, voice)
    if told:
        voice.remark(f"Published {some(told, 'row')} of progress that an earlier run had mended.")


def most_differing(counts: Sequence[Count]) -> list[str]:
    """The tenants with the most differences, as many as examples are shown of."""
    ordered = sorted(counts, key=lambda one: -one.total)
    return [one.tenant_id for one in ordered[:TENANTS_WITH_EXAMPLES]]


def said(checked: Checked) -> list[str]:
    """What was done about it, or can be."""
    rebuilt = checked.rebuilt
    if checked.identical:
        return []
    if rebuilt.mended:
        return [
            (
                f"Mended {some(rebuilt.mended, 'row')} of integration progress, and told {rebuilt.told:,} of them; the "
                f"notifier waited {rebuilt.seconds * 1000:,.0f} ms."
            )
        ]
    number = sum(each.total for each in rebuilt.counts)
    verb, them = ("differs", "it") if number == 1 else ("differ", "them")
    return [
        f"{some(number, 'row')} of integration progress {verb} from what was told: `muster replay --swap` mends {them}."
    ]
