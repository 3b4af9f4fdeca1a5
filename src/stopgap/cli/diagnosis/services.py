"""Which other services a set-up needs, and whether they answer."""

from collections.abc import Iterator

from stopgap import __version__
from stopgap.accounts.counts import open_counts, without_password
from stopgap.accounts.shared_counts import CountsUnreachable, SharedCounts
from stopgap.cli.diagnosis.diagnosis import Diagnosis, fine, warning
from stopgap.clock import Clock
from stopgap.settings import Settings
from stopgap.telemetry.collectors import open_collector
from stopgap.telemetry.trace_queue import CollectorUnreachable


def limits(settings: Settings, _clock: Clock) -> Iterator[Diagnosis]:
    """See whether counts are shared where the setting says."""
    counts, place = open_counts(settings.limits, b""), without_password(settings.limits)
    if not isinstance(counts, SharedCounts):
        yield fine("Each worker counts failed sign-ins by itself.")
        return
    try:
        counts.ping()
    except CountsUnreachable as error:
        told = f"Counts are not shared at {place}, each worker has its own: {error}"
        yield warning(told, "Start it, or correct STOPGAP_LIMITS.")
    else:
        yield fine(f"Failed sign-ins are counted at {place}.")


def traces(settings: Settings, _clock: Clock) -> Iterator[Diagnosis]:
    """See whether they are taken where the setting says, if anywhere."""
    if settings.traces is None:
        return
    try:
        open_collector(settings.traces, __version__).take([])
    except CollectorUnreachable as error:
        told = f"Traces are not taken where STOPGAP_TRACES says: {error}"
        yield warning(told, "Start the collector, or correct STOPGAP_TRACES.")
    else:
        yield fine(f"Traces are taken, of {settings.trace_percent} % of the requests.")
