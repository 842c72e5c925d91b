"""`muster xpm-words`: what the words of XPM's relationships mean at a practice."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Annotated, Literal

import typer
from rich.table import Table

from ops.addresses import settings_in_reach
from ops.audit import audited, end_killed, operator
from ops.ending import Misused
from ops.voice import Apply, AsJson, speaking
from ops.words import some
from services.importer.settings import ImporterSettings
from services.importer.wording import Meaning, Wording
from services.importer.xpm.directions import STANDARD, TURNED_ROUND, Direction, Directions, folded
from worker.database import connect
from worker.settings import Settings

Holder = Literal["party", "client", "both"]

VERB = "xpm-words"
LONGEST = 100
_FROM = {"standard": "as usual", "setting": "MUSTER_XPM_DIRECTIONS"}
_HOLDERS = {"party": "the party", "client": "the client", "both": "both"}


def command(
    tenant: Annotated[str, typer.Argument(help="The practice.")],
    word: Annotated[
        str | None, typer.Argument(help="A word as it stands on XPM's records; without one, all of them.")
    ] = None,
    *,
    holder: Annotated[Holder | None, typer.Option(help="Correct it: who has the role.")] = None,
    party_is: Annotated[
        str | None, typer.Option(help="What to call the party; unless given, by the role.")
    ] = None,
    role: Annotated[str | None, typer.Option(help="The role, unless it is the word's usual one.")] = None,
    turn_round: Annotated[
        bool, typer.Option("--turn-round", help="This practice means every word the other way round.")
    ] = False,
    as_usual: Annotated[
        bool, typer.Option("--as-usual", help="Take the practice's corrections back: of the word, or all.")
    ] = False,
    apply: Apply = False,
    as_json: AsJson = False,
) -> None:
    """Show what the words of XPM's relationships mean at a practice; or correct that, with --apply.

    A bare word says what the party is, and one with "Of" what the client is: "Director" on a company's record names
    its director. Where a practice means it differently, or has words of its own, say so here. Imports go by it within
    seconds; what was staged stays as it is.

    For example:

        muster xpm-words harbour
        muster xpm-words harbour "De facto" --role Spouse --holder both --apply
        muster xpm-words harbour Husband --holder client --party-is Wife --apply
        muster xpm-words harbour --turn-round --apply
        muster xpm-words harbour Husband --as-usual --apply
    """
    with speaking(as_json=as_json) as voice:
        corrections = _corrections(word, holder, party_is, role, turn_round=turn_round)
        if as_usual and corrections:
            raise Misused("Correct words, or take them --as-usual: not both at once.")
        settings = settings_in_reach()
        known = asyncio.run(_known(settings, tenant))
        wanted = [each for each in known if word is None or each.word == folded(word)]
        if not (corrections or as_usual):
            shown = (
                [_table(wanted)] if wanted else [f"Nobody knows what {word} means: items show it as it is."]
            )
            voice.answer({"tenant_id": tenant, "words": list(map(_document, wanted))}, *shown)
            return
        own = [each.word for each in wanted if each.origin == "practice"]
        words = list(corrections) or own
        if apply and words:
            asyncio.run(_change(settings, tenant, corrections, own))
        said = _told(tenant, words, corrections, apply=apply)
        voice.answer({"tenant_id": tenant, "words": words, "applied": apply}, said)


def _corrections(
    word: str | None, holder: Holder | None, party_is: str | None, role: str | None, *, turn_round: bool
) -> Directions:
    """What the practice is to mean from now on, by the folded word. Raises `Misused`."""
    if turn_round:
        if word or holder or party_is or role:
            raise Misused("--turn-round is for all words at once.")
        return TURNED_ROUND
    if holder is None:
        if party_is or role:
            raise Misused("Say who has the role, with --holder party, client or both.")
        return {}
    if word is None or not folded(word) or len(word) > LONGEST:
        raise Misused(f"Say which word is meant, with 1 to {LONGEST} characters.")
    usual = STANDARD.get(folded(word))
    role = role or (usual.role if usual else " ".join(word.split()))
    return {folded(word): Direction(role=role, holder=holder, party_is=party_is or role)}


async def _known(settings: Settings, tenant: str) -> list[Meaning]:
    await end_killed(settings, VERB)
    async with _wording(settings) as wording:
        return await wording.meanings(tenant)


async def _change(settings: Settings, tenant: str, corrections: Directions, own: Sequence[str]) -> None:
    """Correct these words, or else take back what the practice has corrected of its own."""
    words = list(corrections) or list(own)
    async with (
        audited(settings, VERB, {"tenant_id": tenant, "words": words, "as_usual": not corrections}),
        _wording(settings) as wording,
    ):
        if corrections:
            await wording.correct(tenant, corrections, operator())
        else:
            await wording.restore(tenant, own, operator())


@asynccontextmanager
async def _wording(settings: Settings) -> AsyncIterator[Wording]:
    database = await connect(settings, "xpm-words", role="muster_importer", search_path="importer")
    try:
        yield Wording(database, ImporterSettings().xpm_directions)
    finally:
        await database.close()


def _document(meaning: Meaning) -> dict[str, object]:
    document = {"word": meaning.word, **meaning.direction.model_dump(), "from": meaning.origin}
    changed = {"changed_by": meaning.changed_by, "changed_at": meaning.changed_at}
    return document if meaning.changed_at is None else document | changed


def _table(meanings: Sequence[Meaning]) -> Table:
    table = Table("word", "role", "held by", "the party is", "says who", box=None, pad_edge=False)
    for each in meanings:
        says = each.origin if each.changed_at is None else f"{each.changed_by}, {each.changed_at:%Y-%m-%d}"
        means = each.direction
        table.add_row(each.word, means.role, _HOLDERS[means.holder], means.party_is, _FROM.get(says, says))
    return table


def _told(tenant: str, words: Sequence[str], corrections: Directions, *, apply: bool) -> str:
    if not words:
        return f"{tenant} has corrected nothing of that."
    which = some(len(words), "word") if len(words) > 1 else words[0]
    means = f"{which} as {'corrected' if corrections else 'usual'}"
    if apply:
        return f"{tenant} reads {means} from now on; imports go by it within seconds."
    return f"{tenant} would read {means}. Say --apply to do it."
