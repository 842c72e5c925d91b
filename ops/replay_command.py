"""`muster replay`: fold the journal again beside everything that goes on, see what differs, and swap."""

import asyncio
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import Annotated, Any

import typer

from ops import replay_answers as answers
from ops import replay_progress
from ops.addresses import settings_in_reach
from ops.audit import audited, end_killed
from ops.deadletters import replayed
from ops.ending import Exit, Misused
from ops.replay_places import places
from ops.replay_progress import Checked, Showing, most_differing
from ops.voice import AsJson, Voice, speaking
from ops.words import some
from services.resolver.domain.version import RULES_VERSION
from services.resolver.generations import Purpose
from services.resolver.replaying import course, settling, standing
from services.resolver.replaying.course import Course
from services.resolver.replaying.report import Report
from services.resolver.replaying.standing import Stand, Standing
from worker.differences import Example
from worker.settings import Settings

Jobs = Annotated[
    int | None,
    typer.Option(
        min=1, max=64, help="Processes that fold at the same time; as many as there are cores unless given."
    ),
]
Examples = Annotated[
    int, typer.Option(min=0, max=100, help="Rows to show of each table, tenant and kind of difference.")
]
Personal = Annotated[
    bool, typer.Option("--personal", help="Show values about people instead of masking them.")
]

LOOKING = frozenset({"--until", "--tenant"})
CHANGING = frozenset({"--swap", "--apply"})
DOING = frozenset({"--back", "--anew", "--keep"})
CONTRADICTIONS: Sequence[tuple[AbstractSet[str], AbstractSet[str], str]] = (
    (
        LOOKING,
        CHANGING | {"--back", "--anew"},
        "the first are there to look and compare, begin anew each time, and are never swapped in.",
    ),
    ({"--back"}, {"--anew"}, "to go back is to return to tables that are there."),
    ({"--status"}, LOOKING | CHANGING | DOING | {"--discard"}, "--status only says where things stand."),
    (
        {"--discard"},
        LOOKING | DOING | {"--swap"},
        "--discard only drops what was begun; say it alone, or with --apply.",
    ),
)


def command(
    *,
    swap: Annotated[
        bool, typer.Option("--swap", help="Let readers and the resolver go over to what was folded.")
    ] = False,
    apply: Annotated[
        bool, typer.Option("--apply", help="The same as --swap; with --discard: drop it.")
    ] = False,
    back: Annotated[
        bool, typer.Option("--back", help="Catch up the generation that was live before, to return to it.")
    ] = False,
    until: Annotated[
        str | None,
        typer.Option(help="Only look: as it was at a time, or before an offset (3:1200 is of partition 3)."),
    ] = None,
    tenant: Annotated[str | None, typer.Option(help="Only look: one practice's records.")] = None,
    anew: Annotated[
        bool, typer.Option("--anew", help="Begin from the first record, whatever an earlier run has folded.")
    ] = False,
    keep: Annotated[
        bool, typer.Option("--keep", help="With --until or --tenant: leave the tables there to be queried.")
    ] = False,
    status: Annotated[bool, typer.Option("--status", help="Only say where things stand.")] = False,
    discard: Annotated[
        bool,
        typer.Option(
            "--discard",
            help="Show what was begun and never swapped in; with --apply: drop it. Never what is live.",
        ),
    ] = False,
    examples: Examples = 1,
    personal: Personal = False,
    jobs: Jobs = None,
    as_json: AsJson = False,
) -> None:
    """Fold the journal again into new tables while live traffic goes on, and show what would change.

    Nothing is published meanwhile, and nothing that anybody reads is touched. With --swap the new tables take the place
    of the live ones in one transaction; what came out differently is published once, afterwards. The tables that were
    live are kept: --back shows what returning to them would change, and --back --swap returns.

    It may be broken off at any moment, and goes on from there when it is run again. The exit code is 1 when something
    differs and nothing was swapped.

    For example:

        muster replay
        muster replay --swap
        muster replay --back --swap
        muster replay --until 2026-11-24T09:00:00Z --tenant harbour
        muster replay --discard --apply
        muster replay --json | jq '.differences'
    """
    with speaking(as_json=as_json) as voice:
        named = {"--status": status, "--discard": discard, "--swap": swap, "--apply": apply, "--back": back}
        looks = until is not None or tenant is not None
        more = {"--until": until is not None, "--tenant": tenant is not None, "--anew": anew, "--keep": keep}
        _check({name for name, is_said in (named | more).items() if is_said}, tenant)
        settings = settings_in_reach()
        showing = Showing(examples, personal)
        if status:
            doing = _status(voice, settings)
        elif discard:
            doing = _discard(voice, settings, apply=apply)
        elif not looks:
            doing = _replay(voice, settings, jobs, showing, swap=swap or apply, back=back, anew=anew)
        else:
            doing = _look(voice, settings, jobs, showing, until, tenant, keep=keep)
        raise typer.Exit(asyncio.run(doing))


def _check(said: AbstractSet[str], tenant: str | None) -> None:
    """Raise `Misused` for options that contradict each other."""
    for options, others, why in CONTRADICTIONS:
        if said & options and (wrong := said & others):
            raise Misused(f"{', '.join(sorted(said & options))} and {', '.join(sorted(wrong))}: {why}")
    if "--keep" in said and not said & LOOKING:
        raise Misused("--keep belongs to --until or --tenant; what a replay folds is kept anyway.")
    if tenant == "":
        raise Misused("--tenant needs the id of a practice.")


async def _status(voice: Voice, settings: Settings) -> Exit:
    found = await standing.peek(settings)
    voice.answer(answers.standing_document(found), *answers.standing_shown(found))
    return Exit.DONE


async def _discard(voice: Voice, settings: Settings, *, apply: bool) -> Exit:
    async with course.begun(settings, voice, 1) as run:
        begun = (await run.standing()).unfinished
        if apply and begun:
            async with audited(settings, "replay", {"discard": True}) as audit:
                dropped = await run.builder.discard()
                audit.result["dropped"] = [each.generation.number for each in dropped]
    numbers = [each.generation.number for each in begun]
    voice.answer({"discarded": apply, "generations": numbers}, *_discarded(begun, apply=apply))
    return Exit.DONE


def _discarded(begun: Sequence[Stand], *, apply: bool) -> list[str]:
    if not begun:
        return ["There is nothing to drop."]
    said = [
        f"Generation {each.generation.number}, begun by a {each.purpose} under rules {each.generation.rules}: "
        f"{some(each.records, 'record')}."
        for each in begun
    ]
    return [*said, "Dropped." if apply else "Nothing was changed. Add --apply to drop it."]


async def _replay(
    voice: Voice,
    settings: Settings,
    jobs: int | None,
    showing: Showing,
    *,
    swap: bool,
    back: bool,
    anew: bool,
) -> Exit:
    healed = 0
    async with course.begun(settings, voice, jobs) as run:
        await tell_where_things_stand(voice, settings, run, None if back else "replay", anew=anew)
        if not swap:
            report, found = await (run.back(swap=False) if back else run.replay(swap=False, anew=anew))
            examples = await examples_of(found, report, showing)
            progress = await replay_progress.check(voice, settings, run, showing, mend=False)
        else:
            arguments = {"swap": True, "back": back, "rules": RULES_VERSION}
            async with audited(settings, "replay", arguments) as audit:
                report, found = await (run.back(swap=True) if back else run.replay(swap=True, anew=anew))
                audit.result.update(_summary(report))
                examples = await examples_of(found, report, showing)
                healed, _ = await replayed.follow(settings, run.database, await run.standing())
                progress = await replay_progress.check(voice, settings, run, showing, mend=True)
                audit.result.update({"mended_progress": progress.rebuilt.mended})
    whole, shown = progress.added_to(report), [*examples, *progress.examples]
    voice.answer(
        answers.document(whole, shown)
        | {
            "phases": run.builder.phases,
            "mended_progress": progress.rebuilt.mended,
            "letters": {"kept": report.letters, "replayed": healed},
        },
        *answers.shown(whole, shown),
        *_conclusion(report, progress, healed, back=back),
    )
    return Exit.DONE if whole.identical or whole.swapped else Exit.ATTENTION


async def _look(
    voice: Voice,
    settings: Settings,
    jobs: int | None,
    showing: Showing,
    until: str | None,
    tenant: str | None,
    *,
    keep: bool,
) -> Exit:
    async with course.begun(settings, voice, jobs) as run:
        wanted = await places(run.journal, until, tenant) if until is not None else None
        report, found = await run.look(wanted, tenant)
        examples = await examples_of(found, report, showing)
        if not keep:
            await run.builder.drop(report.there)
    schema = report.there.schema
    left = (
        f"The tables are in the schema {schema} until the next look."
        if keep
        else "Nothing was changed or kept."
    )
    same = ["", "Identical: it is as it was."] if report.identical else []
    document = answers.document(report, examples) | {"schema": schema if keep else None}
    voice.answer(document, *answers.shown(report, examples), *same, "", left)
    return Exit.DONE if report.identical else Exit.ATTENTION


async def tell_where_things_stand(
    voice: Voice, settings: Settings, run: Course, purpose: Purpose | None, *, anew: bool = False
) -> None:
    """What earlier runs of the same kind have left; what a swap did not publish goes out first."""
    for verb in ("replay", "verify", replayed.VERB):
        await end_killed(settings, verb)
    found = await run.standing()
    for sentence in _left_behind(found, purpose, anew=anew):
        voice.remark(sentence)
    published = await run.publish_rest()
    if published:
        voice.remark(
            f"Published {some(published, 'outcome')} that swap {found.live.generation.swap} had left."
        )
    await replayed.follow(settings, run.database, found)
    await replay_progress.tell_what_is_left(voice, settings, run)


def _left_behind(found: Standing, purpose: Purpose | None, *, anew: bool) -> list[str]:
    said = []
    for stand in (each for each in found.unfinished if each.purpose == purpose):
        generation = stand.generation
        of = f"of {found.live.records:,} " if found.live.records else ""
        begun = (
            f"Generation {generation.number} was begun by an earlier {stand.purpose} under rules {generation.rules} "
            f"and contains {stand.records:,} {of}records"
        )
        if generation.rules != RULES_VERSION:
            said.append(f"{begun}: this release has rules {RULES_VERSION} and begins anew.")
        else:
            said.append(f"{begun}: {'it is dropped.' if anew else 'going on with it.'}")
    return said


async def examples_of(found: settling.Settling, report: Report, showing: Showing) -> Sequence[Example]:
    """Of the tenants with the most differences, table by table."""
    if not showing.each:
        return ()
    shown: list[Example] = []
    for table in report.compared:
        tenants = most_differing([one for one in report.counts if one.table == table])
        if tenants:
            shown += await found.examples(table, tenants, showing.each, personal=showing.personal)
    return shown


def _summary(report: Report) -> dict[str, Any]:
    swapped = report.swapped
    return {
        "generation": report.there.number,
        "replaced": report.here.number,
        "swap": swapped.number if swapped else None,
        "published": report.published,
        "differing_rows": sum(each.total for each in report.counts),
    }


def _conclusion(report: Report, progress: Checked, healed: int, *, back: bool) -> list[str]:
    said = _after_swap(report, healed) if report.swapped else _before_swap(report, progress, back=back)
    return ["", *said, *replay_progress.said(progress)]


def _before_swap(report: Report, progress: Checked, *, back: bool) -> list[str]:
    command = "muster replay --back --swap" if back else "muster replay --swap"
    if report.restored and not sum(report.compared.values()):
        return ["The live tables are empty, and so is the journal: there is nothing to replay."]
    if report.restored:
        return [f"The live tables are empty. `{command}` lets readers and the resolver go over to these."]
    if report.identical:
        more = (
            f" `{command}` lets rules {report.there.rules} take over."
            if report.there.rules != report.here.rules
            else ""
        )
        what = "nothing differs" if progress.identical else "nothing differs in the resolver's tables"
        return [f"Identical: {what}.{more}"]
    return [
        f"Nothing was changed. `{command}` lets readers and the resolver go over, and {_to_publish(report)}."
    ]


def _to_publish(report: Report) -> str:
    if not report.answers and not report.states:
        return "has nothing to publish"
    differing = [
        some(number, what)
        for number, what in ((report.answers, "answer"), (report.states, "present state"))
        if number
    ]
    return f"publishes {' and '.join(differing)} that came out differently"


def _after_swap(report: Report, healed: int) -> list[str]:
    swapped = report.swapped
    assert swapped is not None
    if report.restored:
        told = (
            "The resolver publishes the outcomes of the last 72 hours again as it takes its partitions over."
        )
    elif report.published:
        told = f"Published {some(report.published, 'outcome')} that came out differently."
    else:
        told = "There was nothing to publish."
    return [
        (
            f"Swap {swapped.number}: generation {report.there.number} is live. The resolver waited "
            f"{swapped.resolver_seconds * 1000:,.0f} ms, readers {swapped.readers_seconds * 1000:,.0f} ms."
        ),
        told,
        *_letters(report.letters, healed),
    ]


def _letters(kept: int, healed: int) -> list[str]:
    said = []
    if healed:
        said.append(f"{some(healed, 'dead letter')} of it need nothing more: the records have been decided.")
    if kept:
        said.append(
            f"{some(kept, 'record')} can't be processed any more and were kept: `muster dead-letters list`."
        )
    return said
