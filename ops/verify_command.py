"""`muster verify`: fold the journal once more, and say whether the live tables are what it comes to."""

import asyncio
from typing import Annotated

import typer

from ops import replay_answers as answers
from ops import replay_progress
from ops.addresses import settings_in_reach
from ops.audit import audited
from ops.ending import Exit
from ops.replay_command import (
    Examples,
    Jobs,
    Personal,
    examples_of,
    tell_where_things_stand,
)
from ops.replay_progress import Checked, Showing
from ops.voice import AsJson, Voice, speaking
from services.resolver.domain.version import RULES_VERSION
from services.resolver.replaying import course
from services.resolver.replaying.course import Course
from services.resolver.replaying.report import Report
from worker.settings import Settings


def command(
    *,
    full: Annotated[
        bool,
        typer.Option(
            "--full", help="Begin with the first record, and prove the snapshot of earlier runs too."
        ),
    ] = False,
    snapshot: Annotated[
        bool,
        typer.Option(
            "--snapshot/--no-snapshot",
            help="Keep what was folded, so that the next run need only go on from there.",
        ),
    ] = True,
    take_over: Annotated[
        bool, typer.Option("--take-over", help="If nothing differs, let this release's rules take over.")
    ] = False,
    examples: Examples = 1,
    personal: Personal = False,
    jobs: Jobs = None,
    as_json: AsJson = False,
) -> None:
    """Fold the journal by this release's rules, and compare what it comes to with the live tables, row by row.

    Live traffic goes on, and nothing is changed or published. What was folded is kept as a snapshot beside the live
    tables, as large as they are; the next run of the same rules begins there, so that one a night costs little. --full
    begins with the first record and proves the snapshot along with the tables; run it once a week.

    The exit code is 0 when everything is identical, 1 when something differs, and another one for trouble.

    For example:

        muster verify
        muster verify --full --no-snapshot
        muster verify --json | jq '.identical'
    """
    with speaking(as_json=as_json) as voice:
        showing = Showing(examples, personal)
        settings = settings_in_reach()
        verifying = _verify(voice, settings, jobs, showing, full=full, keep=snapshot, take_over=take_over)
        raise typer.Exit(asyncio.run(verifying))


async def _verify(
    voice: Voice,
    settings: Settings,
    jobs: int | None,
    showing: Showing,
    *,
    full: bool,
    keep: bool,
    take_over: bool,
) -> Exit:
    async with course.begun(settings, voice, jobs) as run:
        await tell_where_things_stand(voice, settings, run, "verify")
        if take_over:
            async with audited(settings, "verify", {"take_over": True, "rules": RULES_VERSION}) as audit:
                report, found, taken = await run.verify(full=full, take_over=True)
                audit.result.update({"identical": report.identical, "took_over": taken})
        else:
            report, found, taken = await run.verify(full=full, take_over=False)
        some = await examples_of(found, report, showing)
        wrong = await run.snapshot_differs(report.there) if full else None
        await _keep_or_drop(run, report, keep=keep)
        progress = await replay_progress.check(voice, settings, run, showing, mend=False)
    whole, shown = progress.added_to(report), [*some, *progress.examples]
    document = answers.document(whole, shown) | {"took_over": taken, "snapshot_differs": wrong}
    conclusion = _conclusion(report, progress, taken=taken, wrong=wrong)
    voice.answer(document, *answers.shown(whole, shown), "", *conclusion)
    return Exit.DONE if whole.identical and not wrong else Exit.ATTENTION


async def _keep_or_drop(run: Course, report: Report, *, keep: bool) -> None:
    """A snapshot is what was found right; what differs is not begun with again."""
    if report.identical and keep:
        await run.builder.keep(report.there)
    else:
        await run.builder.drop(report.there)


def _conclusion(report: Report, progress: Checked, *, taken: bool, wrong: bool | None) -> list[str]:
    said = []
    if report.identical:
        said.append(
            f"Identical: the live tables are what the journal comes to by rules {report.there.rules}."
            if progress.identical
            else f"The resolver's tables are what the journal comes to by rules {report.there.rules}."
        )
    else:
        rows = sum(each.total for each in report.counts)
        said.append(
            f"Different: {rows:,} rows. `muster replay` shows the same, and `muster replay --swap` mends it."
        )
    said += replay_progress.said(progress)
    if wrong is not None:
        said.append(
            "The snapshot of earlier runs was wrong, and is gone." if wrong else "The snapshot is right."
        )
    if taken:
        said.append(
            f"Rules {report.there.rules} have taken over: resolvers of this release join by themselves."
        )
    elif report.identical and report.there.rules != report.here.rules:
        said.append(
            f"The live tables count as folded by rules {report.here.rules}: `muster verify --take-over` lets this "
            "release take over."
        )
    return said
