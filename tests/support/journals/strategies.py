"""Journals for Hypothesis, which shrinks them, and journals from a seed, which are cheap."""

from collections.abc import Sequence
from random import Random

from hypothesis import strategies as st

from tests.support.journals.composer import Composer, Dice, Journal
from tests.support.journals.verbs import VERBS, WEIGHTS

DICE = 64
_WEIGHTED = [name for name in VERBS for _ in range(WEIGHTS.get(name, 1))]


class Step:
    """A verb, and the bytes that decide everything else about it."""

    def __init__(self, verb: str, thrown: bytes) -> None:
        self.verb = verb
        self.thrown = thrown

    def __repr__(self) -> str:
        return f"{self.verb} {self.thrown.rstrip(bytes(1)).hex()}"


def compose(steps: Sequence[Step]) -> Journal:
    """The journal of these steps. Any part of a sequence of steps is one too."""
    composer = Composer()
    for step in steps:
        VERBS[step.verb](composer, Dice(step.thrown))
    return composer.journal()


def journals(least: int = 15, most: int = 60) -> st.SearchStrategy[Journal]:
    """Journals of so many steps, most of one record, some of several and some of none."""
    step = st.builds(Step, st.sampled_from(_WEIGHTED), st.binary(min_size=DICE, max_size=DICE))
    return st.lists(step, min_size=least, max_size=most).map(compose)


def random_step(chance: Random) -> Step:
    return Step(chance.choice(_WEIGHTED), chance.randbytes(DICE))


def seeded(seed: int, steps: int) -> Journal:
    """The journal of a seed: the same on every run."""
    chance = Random(seed)
    return compose([random_step(chance) for _ in range(steps)])
