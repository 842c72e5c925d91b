"""What is measured of the streams."""

from prometheus_client import Counter, Gauge

STREAMS = Gauge("muster_progress_streams", "Streams of server-sent events that are open")
CATCH_UPS = Counter("muster_progress_catch_ups_total", "Times that a stream was caught up from Kafka")
RESETS = Counter(
    "muster_progress_resets_total", "Times that a stream could not resume and started anew", ["why"]
)
REFUSED = Counter(
    "muster_security_refused_total", "Requests without a token that is good for the tenant they name", ["why"]
)
UNTELLABLE = Counter("muster_progress_untellable_total", "Records of muster.progress that no stream can tell")
