"""The page of benchmarks, and the verdicts on it."""

import pytest

from benchmarks.page import render
from benchmarks.targets import judged

MACHINE = {
    "cpus": 2,
    "processor": "Some",
    "memory_gib": 24.0,
    "system": "Debian",
    "kernel": "6.1",
    "python": "3.11.7",
    "packages": {"asyncpg": "0.32"},
}


def _part(figures):
    return {
        "began": "2026-01-02T03:04:05Z",
        "seconds": 12.3,
        "load_before": 0.1,
        "pace_ms": 80,
        "machine": MACHINE,
        "figures": figures,
    }


def _run(records_per_second, rows_per_second, cpu=0.0001):
    return {
        "records": 1000,
        "records_per_second": records_per_second,
        "rows_per_second": rows_per_second,
        "cpu_per_record": cpu,
        "postgres_per_record": 0.00002,
        "kafka_per_record": 0.00001,
        "rss_bytes": [100 * 2**20, 104 * 2**20],
    }


def _waits(p99):
    """One slice of three stood still for a while."""
    slices = [p99, p99 / 2, p99 * 30]
    return {
        "p50": p99 / 4,
        "p95": p99 / 2,
        "p99": p99 * 7,
        "most": p99 * 50,
        "count": 9,
        "p99_of_slices": slices,
    }


@pytest.fixture
def results():
    runs = {
        "resolver": [_run(9_000, 21_000), _run(10_000, 24_000), _run(12_000, 26_000)],
        "debezium": [_run(8_000, 8_000), _run(8_000, 8_000), _run(8_000, 8_000)],
        "debezium_unnest": [_run(10_000, 9_000), _run(10_000, 10_000), _run(10_000, 11_000)],
        "two_resolvers": [_run(15_000, 30_000, cpu=0.00012)],
    }
    journal = {"records": 1000, "mean_bytes": 667.2, "tenants": 500, "partitions": 24}
    return {
        "throughput": _part(
            {
                "journal": journal,
                "durability": {"fsync": "on"},
                "runs": runs,
                "left_out": {"faust": "JarsUnavailable: no | network\nat all"},
            }
        ),
        "commands": _part(
            {
                "commands_per_second": 200,
                "seconds": 300,
                "floor": _waits(10.0),
                "row": _waits(20.0),
                "hops_row": _waits(15.0),
                "hops": _waits(45.0),
                "dashboard": _waits(41.0),
                "cpu": {name: {"kafka": 0.001, "busy": 0.5} for name in ("floor", "hops", "services")},
                "memory": {"resolver": [100, 100], "notifier": [100, 100]},
            }
        ),
        "idle": _part({"failed": "TimeoutError: it took too long"}),
    }


def _verdict(results, beginning):
    return next(each for each in judged(results) if each.target.measure.startswith(beginning))


def test_a_ratio_is_of_medians_and_against_debeziums_faster_way(results):
    assert _verdict(results, "resolver, live").value == pytest.approx(24_000 / 10_000)
    assert _verdict(results, "the same: records/s").value == pytest.approx(1)


def test_a_limit_itself_is_met_and_beyond_it_is_missed(results):
    assert _verdict(results, "command published to row").word == "met"
    assert _verdict(results, "command published to event").word == "**missed**"


def test_the_bare_hops_are_a_commands_ceiling(results):
    page = render(results)
    assert "| at most 2 x | 2.00 x | met | 1.50 x of the bare hops |" in page
    assert "| at most 4 x | 4.10 x | **missed** | **4.50 x** of the bare hops |" in page


def test_a_commands_waits_are_compared_by_the_median_of_their_slices(results):
    results["commands"]["figures"]["row"]["p99_of_slices"] = [19.0, 900.0, 18.0]
    assert _verdict(results, "command published to row").value == pytest.approx(1.9)
    assert "p99 of a slice 19.0 ms; floor 10.0 ms (of all 140.0 ms; floor 70.0 ms)" in render(results)


def test_what_was_not_measured_says_why(results):
    assert "was not run" in _verdict(results, "`make run`").word
    assert "it took too long" in _verdict(results, "idle").word
    assert "replay was left out" in _verdict(results, "`muster replay`").word


def test_memory_is_that_of_the_service_that_grew_most(results):
    assert _verdict(results, "memory").value == pytest.approx(104 / 100)


def test_the_page_tells_verdicts_figures_and_who_was_left_out(results):
    page = render(results)
    assert "| at least 2 x | 2.40 x | met |  | 24,000 rows/s; Debezium 10,000 |" in page
    assert "left out: JarsUnavailable: no / network at all" in page
    assert "`fsync` on" in page
    assert "2026-01-02" in page


def test_a_page_of_nothing_says_that_nothing_was_measured():
    assert "nothing was measured" in render({})


def test_every_table_of_the_page_has_rows_as_wide_as_its_head(results):
    width = None
    for line in render(results).splitlines():
        if line.startswith("|"):
            width = width or line.count("|")
            assert line.count("|") == width, line
        else:
            width = None
