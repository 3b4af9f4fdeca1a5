"""What people are told is what the workers counted."""

from stopgap.telemetry.metrics import LOGIN_FAILURES, Metrics
from stopgap.telemetry.summary import by_release, by_route, total_of


def test_routes() -> None:
    """Requests are summed up by route over methods and statuses, the most frequent first."""
    metrics = Metrics()
    for status, seconds, number in ((200, 0.001, 95), (404, 0.001, 3), (503, 2.0, 2)):
        for _ in range(number):
            metrics.request("/a", "GET", status, seconds)
    metrics.request("/b", "POST", 200, 100.0)
    first, second = by_route(metrics._published())
    assert (first.name, first.all, first.refused, first.failed) == (("/a",), 100, 3, 2)
    assert (first.median_seconds, first.p99_seconds) == (0.001024, 2.097152)
    assert (second.name, second.all, second.refused, second.failed) == (("/b",), 1, 0, 0)
    assert second.median_seconds is None


def test_releases() -> None:
    """Predictions are summed up by contract and release; any outcome but ok is a failure.

    What never happened is not told.
    """
    metrics = Metrics()
    metrics.prediction_series("a", "stand-in").took(20)
    metrics.prediction("a", "stand-in", "ok", 0.0001)
    metrics.prediction("a", "7", "prediction-failed", 0.0001)
    metrics.prediction_series("a", "unknown")
    found = {each.name: (each.all, each.failed) for each in by_release(metrics._published())}
    assert found == {("a", "stand-in"): (2, 0), ("a", "7"): (1, 1)}


def test_what_has_no_duration() -> None:
    """Refused sign-ins are counted whatever their reason; what never happened is 0."""
    metrics = Metrics()
    metrics.login_failed("sign-in-refused")
    metrics.login_failed("sign-in-throttled")
    assert total_of(metrics._published(), LOGIN_FAILURES) == 2
    assert total_of(metrics._published(), "other") == 0
