"""What is measured of imports."""

from prometheus_client import Counter, Gauge

IN_HAND = Gauge("muster_imports_in_hand", "Imports that this process has in hand")
ENDED = Counter(
    "muster_imports_ended_total",
    "Imports whose set of events was stored: staged, or why they failed",
    ["result"],
)
WAITS = Counter("muster_import_waits_total", "Times that an import had to wait for XPM", ["why"])
BROKEN = Counter("muster_imports_broken_total", "Times that a bug kept an import from going on")
LEASES_LOST = Counter("muster_import_leases_lost_total", "Leases that ran out while an import was in hand")
CONTRADICTIONS = Counter(
    "muster_import_contradicting_words_total",
    "Relationships whose word, as it is read, makes somebody director or the like of a person",
)
NOT_TAKEN = Counter(
    "muster_xpm_values_not_taken_total",
    "Texts of XPM's that were taken shortened, or not at all since no value could be made of them, by their element",
    ["element", "how"],
)
TOKENS_RENEWED = Counter(
    "muster_xpm_tokens_renewed_total",
    "Token sets that were asked for anew: renewed, lost on the way and asked for again, or refused",
    ["result"],
)
