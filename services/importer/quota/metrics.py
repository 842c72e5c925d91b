"""What is measured of calls to XPM and of the quota."""

from prometheus_client import Counter, Gauge

CALLS = Counter(
    "muster_xpm_calls_total",
    "Calls to XPM: for whom, and the HTTP status, or none where no answer came",
    ["purpose", "status"],
)
REFUSED = Counter("muster_xpm_refusals_total", "Calls that XPM refused as too many, by the limit", ["limit"])
WAITS = Counter(
    "muster_xpm_quota_waits_total",
    "Calls that were not made at once: calls at once all in use, or a window used up",
    ["purpose", "limit"],
)
LEASES = Counter("muster_xpm_quota_leases_total", "Leases taken from the shared quota")
UNREPORTED = Counter(
    "muster_xpm_quota_unreported_total", "Leases that could not be given back, and run out by themselves"
)
DAY_LEFT = Gauge(
    "muster_xpm_day_left_ratio",
    "What is left of the day's calls, of the practice with the least that this process has called lately",
)
