"""What is measured, in one place. Labels hold topics, partitions and reasons; never a tenant, never a value."""

from prometheus_client import Counter, Gauge, Histogram

RECORDS = Counter("muster_records_total", "Records whose effects are committed", ["topic", "result"])
DEAD_LETTERS = Counter("muster_dead_letters_total", "Records kept as dead letters", ["topic", "why"])
MISROUTED = Counter("muster_security_misrouted_total", "Records with a foreign key or partition", ["topic"])
PASSED_BY = Counter("muster_passed_by_total", "Redriven records that were meant for another group", ["topic"])
PUBLISHED = Counter("muster_published_total", "Events acknowledged by the brokers", ["topic"])
RETRIES = Counter("muster_retries_total", "Attempts that a passing error ended", ["error"])
REBALANCES = Counter("muster_rebalances_total", "Assignments of partitions to this process")
BATCH_SECONDS = Histogram(
    "muster_batch_seconds",
    "From the begin of a batch's transaction to its commit",
    buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30),
)
BATCH_RECORDS = Histogram(
    "muster_batch_records",
    "Records in a batch",
    buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000),
)
APPLIED_TO = Gauge("muster_applied_to", "Postgres contains the log up to here", ["topic", "partition"])
PUBLISHED_TO = Gauge("muster_published_to", "Outcomes are out up to here", ["topic", "partition"])
LAG_RECORDS = Gauge(
    "muster_lag_records", "Offsets between the end of the log and here", ["topic", "partition"]
)
LAG_SECONDS = Gauge(
    "muster_lag_seconds", "Age of the last applied record while more wait", ["topic", "partition"]
)
