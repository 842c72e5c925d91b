"""What is measured of mirrors."""

from prometheus_client import Counter, Gauge

READINGS = Counter(
    "muster_xpm_mirror_readings_total", "Lists read from XPM: which, and how it ended", ["kind", "result"]
)
PARTIES = Counter(
    "muster_xpm_parties_total",
    "Parties that imports needed: from the mirror, looked up, or taken to be gone",
    ["from"],
)
AGE = Gauge(
    "muster_xpm_mirror_age_seconds", "Since XPM was asked for changes, of the mirror that was used last"
)
