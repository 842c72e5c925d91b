"""A handful of figures as the page tells them."""

from collections.abc import Sequence
from statistics import median


def spread(values: Sequence[float]) -> dict[str, float]:
    """The median with the smallest and the largest."""
    return {"median": median(values), "least": min(values), "most": max(values), "runs": len(values)}


def latencies(seconds: Sequence[float]) -> dict[str, float]:
    """Percentiles in milliseconds."""
    ordered = sorted(seconds)
    found = {
        name: ordered[min(len(ordered) - 1, int(len(ordered) * share))] for name, share in SHARES.items()
    }
    return {"count": len(ordered), **{name: value * 1000 for name, value in found.items()}}


SHARES = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "most": 1.0}
