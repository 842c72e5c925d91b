"""How long to wait before the next attempt."""

FIRST_SECONDS = 0.1
CAP_SECONDS = 10.0


def delay(attempt: int, chance: float) -> float:
    """Decide how many seconds to wait after the `attempt`-th failure in a row.

    Doubling from 0.1 s up to a cap of 10 s: 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10, 10 ... Of each, `chance` (from 0
    up to 1) takes off as much as half, so that processes which failed together do not come back together.
    """
    ceiling: float = min(CAP_SECONDS, FIRST_SECONDS * 2 ** min(attempt - 1, 10))
    return ceiling * (1 - chance / 2)
