"""The text that Prometheus scrapes, read back by its own parser."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families as parse

from stopgap.accounts.sign_in import SignInRefused, SignInThrottled
from stopgap.errors import Overloaded
from stopgap.predicting.serving import ModelBusy
from stopgap.problems import PredictionsThrottled
from stopgap.telemetry.exposition import FAMILIES, MEDIA_TYPE, Family, Reading, render
from stopgap.telemetry.metrics import FORM, JOURNAL_LOST, Metrics
from stopgap.telemetry.shards import gather

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def scraped(folder: Path, gauges: Mapping[str, Callable[[], Reading]] | None = None) -> Samples:
    """Read all samples of a scrape."""
    text, _ = render(gather(folder, FORM), gauges or {})
    samples = [each for family in parse(text.decode()) for each in family.samples]
    found = {(each.name, frozenset(each.labels.items())): each.value for each in samples}
    assert len(found) == len(samples)  # none is told twice
    return found


def sample(found: Samples, name: str, **labels: str) -> float:
    """Find one sample."""
    return found[name, frozenset(labels.items())]


def test_a_scrape_reads_back_as_it_was_counted(tmp_path: Path) -> None:
    """A counter and a histogram, read by Prometheus' own parser, are what was counted.

    What has failed is in no histogram: a model that has too much to do refuses in no time at all.
    """
    metrics = Metrics(tmp_path)
    for milliseconds in (1, 1, 100):
        metrics.prediction("mail", "7", "ok", milliseconds / 1_000)
    metrics.prediction("mail", "7", "prediction-failed", 30)
    metrics.close()
    found = scraped(tmp_path)
    name, of = "stopgap_prediction_duration_seconds", {"contract": "mail", "release": "7"}
    assert sample(found, "stopgap_predictions_total", **of, outcome="ok") == 3
    assert sample(found, "stopgap_predictions_total", **of, outcome="prediction-failed") == 1
    assert sample(found, f"{name}_count", **of) == 3
    assert sample(found, f"{name}_sum", **of) == pytest.approx(0.102)
    buckets = {
        float(dict(labels)["le"]): value
        for (each, labels), value in found.items()
        if each == f"{name}_bucket"
    }
    assert list(buckets) == sorted(buckets)
    assert [buckets[bound] for bound in (0.000512, 0.001024, 0.131072, 16.777216)] == [0, 2, 3, 3]
    assert buckets[float("inf")] == 3


def test_every_kind_of_label_survives(tmp_path: Path) -> None:
    """What stands in a label comes back as it was: quotes, backslashes, line breaks, any script."""
    metrics = Metrics(tmp_path)
    reasons = ['say "no"', "back\\slash", "two\nlines", "\\n", "janvier été", "}", ""]
    for reason in reasons:
        metrics.shed(reason)
    metrics.close()
    found = scraped(tmp_path)
    assert [sample(found, "stopgap_shed_total", reason=reason) for reason in reasons] == [1] * 7


def test_gauges_are_read_at_the_scrape(tmp_path: Path) -> None:
    """A gauge tells the value of this moment; one with labels is 1 for each that it names."""
    stages = [("mail", "3", "live"), ("mail", "4", "canary")]
    found = scraped(
        tmp_path,
        {"stopgap_journal_backlog_bytes": lambda: 12, "stopgap_release_info": lambda: stages},
    )
    assert sample(found, "stopgap_journal_backlog_bytes") == 12
    live = {"contract": "mail", "release": "3", "stage": "live"}
    assert sample(found, "stopgap_release_info", **live) == 1
    assert sum(name == "stopgap_release_info" for name, _ in found) == 2


def test_a_gauge_of_the_workers_is_their_sum(tmp_path: Path) -> None:
    """What each worker has in flight is summed over those that live."""
    workers = [Metrics(tmp_path) for _ in range(3)]
    for number, each in enumerate(workers, 1):
        each.gauge("stopgap_requests_in_flight", lambda number=number: number)  # type: ignore[misc]  # a default binds the loop's value
        each.publish()
    assert sample(scraped(tmp_path), "stopgap_requests_in_flight") == 6
    workers.pop().close()
    assert sample(scraped(tmp_path), "stopgap_requests_in_flight") == 3
    for each in workers:
        each.close()


def test_a_gauge_that_cannot_be_read_is_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """When something is wrong the other metrics are told all the same."""

    def gone() -> float:
        raise FileNotFoundError("the spool")

    found = scraped(tmp_path, {"stopgap_journal_backlog_bytes": gone})
    assert not any(name == "stopgap_journal_backlog_bytes" for name, _ in found)
    assert sample(found, "stopgap_journal_lost_total") == 0
    assert "stopgap_journal_backlog_bytes" in caplog.text


def test_before_anything_is_counted_there_is_a_text(tmp_path: Path) -> None:
    """A server that has served nobody, or has no folder yet, can be scraped."""
    text, media_type = render(gather(tmp_path / "absent", FORM), {})
    assert media_type == MEDIA_TYPE
    lines = text.decode().split("\n")
    assert {f"# TYPE {each.name} {each.kind}" for each in FAMILIES} < set(lines)
    samples = [line for line in lines if line and not line.startswith("#")]
    assert f"{JOURNAL_LOST} 0" in samples
    assert all(line.endswith(" 0") for line in samples)


@pytest.mark.parametrize("family", FAMILIES, ids=lambda each: each.name)
def test_names_keep_the_conventions(family: Family) -> None:
    """Counters end in _total, durations are in seconds, and no label can hold a user or a URL."""
    assert re.fullmatch(r"stopgap(_[a-z]+)+", family.name)
    assert family.name.endswith("_total") == (family.kind == "counter")
    assert family.name.endswith("_seconds") == (family.kind == "histogram")
    known = {"route", "method", "status", "contract", "release", "outcome", "reason"}
    assert set(family.labels) <= known | {"stage", "version", "python"}


def test_what_is_told_before_it_happens() -> None:
    """Refusals are told from 0 on, under the very codes that they are counted under."""
    text, _ = render(Metrics().of_all(), {})
    shed = {error.code for error in (ModelBusy, Overloaded, PredictionsThrottled)}
    refused = {error.code for error in (SignInRefused, SignInThrottled)}
    told = r'^stopgap_(\w+)_total\{reason="([\w-]+)"\} 0$'
    found = re.findall(told, text.decode(), re.MULTILINE)
    assert {code for name, code in found if name == "shed"} == shed
    assert {code for name, code in found if name == "login_failures"} == refused
