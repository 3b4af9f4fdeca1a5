"""The exposition: every metric that there is, and their text, as Prometheus reads it.

The text is made here, in a few lines, because Prometheus' own client costs each worker 7 MiB, and
the first scrape 40 ms in which nothing else is answered (`python -X importtime`).
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from stopgap.telemetry.metrics import (
    COPIES_DROPPED,
    JOURNAL_LOST,
    LABELS,
    LOGIN_FAILURES,
    LONGEST,
    PREDICTIONS,
    REQUESTS,
    SHED,
    SHORTEST,
    times,
)
from stopgap.telemetry.shards import Counts, Published

logger = logging.getLogger(__name__)

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
"""https://prometheus.io/docs/instrumenting/exposition_formats/"""

SECONDS = [str(2**bits / 1_000_000) for bits in range(SHORTEST, LONGEST + 1)]
"""Where a histogram's buckets end."""

Labels = tuple[str, ...]

Reading = float | Iterable[Labels]
"""What a gauge reads: a number; or, where it has labels, the values of those for which it is 1."""


@dataclass(frozen=True, kw_only=True)
class Family:
    """One metric: its name, its labels, and what it tells."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    labels: tuple[str, ...] = ()
    help: str
    of: str = ""  # a histogram's counter, whose first labels it has
    rest: tuple[str, ...] = ()  # what the others must be; nothing: they may be anything
    from_zero: tuple[Labels, ...] = ()  # told before they happen, so that Prometheus sees the rise


FAMILIES = (
    Family(
        name=REQUESTS,
        kind="counter",
        labels=LABELS[REQUESTS],
        help="Requests answered; route is a template, or other.",
    ),
    Family(
        name="stopgap_request_duration_seconds",
        kind="histogram",
        labels=("route",),
        help="Time from a request's last byte to its answer.",
        of=REQUESTS,
    ),
    Family(
        name="stopgap_requests_in_flight",
        kind="gauge",
        help="Requests inside the server now; other workers' as of half a second ago.",
    ),
    Family(
        name=SHED,
        kind="counter",
        labels=LABELS[SHED],
        help="Requests refused because there were too many.",
        from_zero=(("model-busy",), ("overloaded",), ("predictions-throttled",)),
    ),
    Family(
        name=PREDICTIONS,
        kind="counter",
        labels=LABELS[PREDICTIONS],
        help="Predictions; outcome is ok, or the code of the error.",
    ),
    Family(
        name="stopgap_prediction_duration_seconds",
        kind="histogram",
        labels=("contract", "release"),
        help="Time that a successful prediction took.",
        of=PREDICTIONS,
        rest=("ok",),
    ),
    Family(
        name=COPIES_DROPPED,
        kind="counter",
        labels=LABELS[COPIES_DROPPED],
        help="Copies of requests not sent to a shadow because there were too many.",
    ),
    Family(
        name=LOGIN_FAILURES,
        kind="counter",
        labels=LABELS[LOGIN_FAILURES],
        help="Sign-ins refused.",
        from_zero=(("sign-in-refused",), ("sign-in-throttled",)),
    ),
    Family(
        name="stopgap_journal_backlog_bytes",
        kind="gauge",
        help="Bytes of records that wait in the spool for the journal's database.",
    ),
    Family(
        name="stopgap_journal_backlog_files",
        kind="gauge",
        help="Spool files in which records wait.",
    ),
    Family(
        name=JOURNAL_LOST,
        kind="counter",
        help="Answers that left without a record, with STOPGAP_JOURNAL=available.",
        from_zero=((),),
    ),
    Family(
        name="stopgap_release_info",
        kind="gauge",
        labels=("contract", "release", "stage"),
        help="1 for every release that serves, and its stage.",
    ),
    Family(
        name="stopgap_build_info",
        kind="gauge",
        labels=("version", "python"),
        help="1, with the versions that run.",
    ),
)
"""Every metric that there is."""


def render(published: Published, gauges: Mapping[str, Callable[[], Reading]]) -> tuple[bytes, str]:
    """Tell all metrics; return the text and its media type.

    Args:
        published: What all workers have counted.
        gauges: Those that are read at this moment, by their names. One that cannot be read is left
            out: the others are needed most when something is wrong.
    """
    lines: list[str] = []
    for family in FAMILIES:
        lines += [f"# HELP {family.name} {family.help}", f"# TYPE {family.name} {family.kind}"]
        if family.kind == "gauge":
            lines += _gauge(family, gauges.get(family.name), published)
        elif family.kind == "counter":
            lines += _counter(family, published)
        else:
            lines += _histogram(family, published)
    return ("\n".join(lines) + "\n").encode(), MEDIA_TYPE


def _gauge(
    family: Family, read: Callable[[], Reading] | None, published: Published
) -> Iterator[str]:
    try:
        reading = read() if read else published.gauges.get(family.name, ())
    except Exception:
        logger.exception("the metric %s cannot be read", family.name)
        return
    if isinstance(reading, Iterable):
        for labels in reading:
            yield _sample(family.name, family.labels, labels, 1)
    else:
        yield _sample(family.name, (), (), reading)


def _counter(family: Family, published: Published) -> Iterator[str]:
    found = dict.fromkeys(family.from_zero, 0)
    found |= {labels: times(counts) for labels, counts in _of(family.name, published).items()}
    for labels, number in found.items():
        yield _sample(family.name, family.labels, labels, number)


def _histogram(family: Family, published: Published) -> Iterator[str]:
    width = len(family.labels)
    grouped = Published()
    grouped.add(
        (labels[:width], counts)
        for labels, counts in _of(family.of, published).items()
        if labels[width:] == family.rest or not family.rest
    )
    for labels, (*spans, micros) in grouped.counts.items():
        total = 0
        for bound, number in zip([*SECONDS, "+Inf"], spans, strict=True):
            total += number
            yield _sample(f"{family.name}_bucket", (*family.labels, "le"), (*labels, bound), total)
        yield _sample(f"{family.name}_sum", family.labels, labels, micros / 1_000_000)
        yield _sample(f"{family.name}_count", family.labels, labels, total)


def _of(name: str, published: Published) -> dict[Labels, Counts]:
    """Find what was counted under a name, by its labels' values."""
    return {key[1:]: counts for key, counts in published.counts.items() if key[0] == name}


def _sample(name: str, labels: tuple[str, ...], values: Labels, value: float) -> str:
    pairs = [f'{label}="{_escaped(text)}"' for label, text in zip(labels, values, strict=True)]
    return f"{name}{{{','.join(pairs)}}} {value}" if pairs else f"{name} {value}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
