"""How many made-up journals a test tries: few and always the same ones, or with `--hypothesis-profile=fuzz` many.

Quick runs are the same every time, so that a failure is about the change at hand; fuzzing looks for what nobody
thought of, keeps what it found in `.hypothesis`, and tries that first the next time.
"""

from hypothesis import HealthCheck, Phase, settings

FUZZ = "fuzz"
TIMES_MORE = 100


def offer_fuzzing() -> None:
    """Make the profile known; to be called before pytest is configured, that is from a `conftest.py`."""
    settings.register_profile(FUZZ, settings.get_profile("default"))


def effort(examples: int, *, slow: bool = False) -> settings:
    """So many examples in a quick run, and a hundred times more when fuzzing. Slow ones are shrunk only then."""
    fuzzing = settings.get_current_profile_name() == FUZZ
    return settings(
        max_examples=examples * TIMES_MORE if fuzzing else examples,
        derandomize=not fuzzing,
        deadline=None,
        phases=[phase for phase in Phase if fuzzing or not slow or phase is not Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
