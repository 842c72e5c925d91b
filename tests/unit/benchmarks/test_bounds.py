"""Ceilings beside the targets, and what is said of them: only of one run."""

import pytest

from benchmarks.page import render
from benchmarks.targets import judged

MACHINE = {"cpus": 2, "processor": "Some", "memory_gib": 24.0, "system": "Debian", "kernel": "6.1", "python": "3.11.7",
           "packages": {}}  # fmt: skip
COSTS = {
    "cpu_per_record": 0.00003,
    "postgres_per_record": 0.00002,
    "kafka_per_record": 0.00001,
    "reading_per_record": 0.00001,
    "rules_per_record": 0.00004,
}


def _part(began, figures):
    return {
        "began": began,
        "seconds": 60.0,
        "load_before": 0.1,
        "pace_ms": 80,
        "machine": MACHINE,
        "figures": figures,
    }


def _runs(records_per_second, rows_per_second, cpu=0.00009):
    costs = {"cpu_per_record": cpu, "postgres_per_record": 0.00002, "kafka_per_record": 0.00001}
    rates = {"records_per_second": records_per_second, "rows_per_second": rows_per_second}
    return [{"records": 1000, "rss_bytes": [1, 1], **rates, **costs}]


def _rate(records, rows):
    return {"median": records, "least": records, "most": records, "rows_per_second": rows, **COSTS}


@pytest.fixture
def results():
    runs = {
        "resolver": _runs(9_000, 21_000),
        "replay": _runs(16_000, 32_000),
        "debezium": _runs(40_000, 30_000),
    }
    found = {name: {"median": 1, "least": 1, "most": 1} for name in ("getmany",)}
    found |= {
        "ready_made": _rate(20_000, 48_000),
        "ready_made_replay": _rate(30_000, 99_000),
        "round_trip_and_commit": {"p50": 1.0, "p99": 2.0},
    }
    journal = {"records": 1000, "mean_bytes": 667.2, "tenants": 500, "partitions": 24}
    return {
        "ceilings": _part("2026-01-02T03:04:05Z", found),
        "throughput": _part("2026-01-02T03:06:05Z", {"journal": journal, "runs": runs, "left_out": {}}),
    }


def _ceilings(results, beginning):
    return {
        ceiling.whose: ceiling.value
        for verdict in judged(results)
        if verdict.target.measure.startswith(beginning)
        for ceiling in verdict.ceilings
    }


def test_a_ceiling_is_in_times_of_debeziums_rate(results):
    assert _ceilings(results, "resolver, live") == {
        "without a rule": pytest.approx(48_000 / 30_000),
        "with the rules' CPU": pytest.approx(1 / 0.00007 * 48_000 / 20_000 / 30_000),
    }


def test_a_replay_shares_all_cores_with_the_servers(results):
    found = _ceilings(results, "`muster replay`")
    assert found["with the rules' CPU"] == pytest.approx(2 / 0.0001 * 99_000 / 30_000 / 30_000)


def test_with_the_rules_nobody_is_faster_than_without(results):
    results["ceilings"]["figures"]["ready_made"] |= {"median": 10_000}
    found = _ceilings(results, "resolver, live")
    assert found["with the rules' CPU"] == found["without a rule"]
    assert "more than 10,000 records/s here" in render(results)


def test_the_page_marks_the_ceiling_that_misses_the_target_by_itself(results):
    page = render(results)
    assert (
        "| **0.50 x** without a rule, **0.36 x** with the rules' CPU | 9,000 records/s; Debezium 40,000 |"
        in page
    )
    assert (
        "| 3.30 x without a rule, **2.20 x** with the rules' CPU | 32,000 rows/s; Debezium 30,000 |" in page
    )
    assert "stands in the way" in page


def test_the_least_that_python_takes_stands_beside_what_the_contender_took(results):
    page = render(results)
    assert "at least **70**; the resolver takes **90**.\nSo one process" in page
    assert "more than 14,286 records/s here" in page
    assert "2 cores can't come to more than 20,000 records/s." in page
    assert "20,000 records/s, 48,000 rows/s" in page


@pytest.mark.parametrize(
    "other",
    [{"began": "2026-01-02T05:06:05Z"}, {"machine": MACHINE | {"processor": "Another"}}],
)
def test_parts_that_are_no_one_run_say_nothing_of_each_other(results, other):
    results["throughput"] |= other
    page = render(results)
    assert not _ceilings(results, "resolver, live")
    assert "at least **70**.\nSo one process" in page
    assert "stands in the way" not in page


def test_ceilings_of_an_earlier_release_are_shown_as_far_as_they_go(results):
    results["ceilings"]["figures"]["ready_made"] = {
        "median": 20_000,
        "least": 1,
        "most": 1,
        "cpu_per_record": 1,
    }
    del results["ceilings"]["figures"]["ready_made_replay"]
    page = render(results)
    assert "| 20,000 records/s | 1 to 1 |" in page
    assert "at least **" not in page
    assert not _ceilings(results, "resolver, live")


def test_an_importers_ceilings_are_in_times_of_the_bare_client(results):
    way = {"ratio": 8.0, "calls": 1, "items": 1, "importer_seconds": 8.0, "bare_seconds": 1.0}
    ceiling = {"reading": 1.0, "making": 1.0, "storing": 1.0, "altogether": 3.0}
    figures = {"imports": 1, "ratio": 8.0, "by_list": way, "one_by_one": way, "ceiling": ceiling}
    results["importer"] = _part(
        "2026-01-01T00:00:00Z", figures | {"ceiling_one_by_one": ceiling | {"altogether": 1.1}}
    )
    assert _ceilings(results, "importer") == {"by list": 3.0, "one by one": 1.1}
    assert "| **3.00 x** by list, 1.10 x one by one |" in render(results)
