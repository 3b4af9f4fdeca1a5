"""What was measured, as Markdown: a table for each number of connections, and what was promised."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from bench.contestants import BARE_ASGI, BATCHES, FASTAPI, MOSEC, PEERS, SIGNED_IN, STOPGAP
from bench.load import Round

Rounds = Mapping[tuple[str, int], Sequence[Round]]
"""Every round, by server and connections."""


@dataclass(frozen=True, kw_only=True)
class Figures:
    """One server at one number of connections: medians over the rounds without a fault."""

    rate: float
    lowest: float
    highest: float
    p50: float
    p99: float


def figures(rounds: Iterable[Round]) -> Figures | None:
    """Sum up; None where no round is without a fault."""
    good = [each for each in rounds if not each.fault]
    if not good:
        return None
    rates = [each.rate for each in good]
    return Figures(
        rate=median(rates),
        lowest=min(rates),
        highest=max(rates),
        p50=median(each.p50 for each in good),
        p99=median(each.p99 for each in good),
    )


HEAD = ("Server", "Requests/s", "Lowest to highest", "p50 ms", "p99 ms")
PROMISE_HEAD = ("Promise", "Connections", "At least", "Is", "Kept")


@dataclass(frozen=True, kw_only=True)
class Promise:
    """How Stopgap has to stand beside another server."""

    words: str
    other: str
    connections: int
    least: float
    name: str = STOPGAP
    measure: Callable[[Figures, Figures], float] = lambda own, other: own.rate / other.rate

    def line(self, rounds: Rounds) -> list[str]:
        """Say how it is, and whether that is enough; nothing where it was not measured."""
        own = figures(rounds.get((self.name, self.connections), ()))
        other = figures(rounds.get((self.other, self.connections), ()))
        if own is None or other is None:
            return []
        value = self.measure(own, other)
        kept = "yes" if value >= self.least else "**no**"
        return [self.words, str(self.connections), f"{self.least:.2f}", f"{value:.2f}", kept]


@dataclass(frozen=True, kw_only=True)
class Layout:
    """What one kind of measurement has beside its figures."""

    beside: Mapping[str, str]  # a column's title -> the server whose rate it is relative to
    promises: Sequence[Promise]


def tables(rounds: Rounds, missing: Mapping[str, str], layout: Layout) -> str:
    """Write everything: the tables, then the promises.

    Args:
        rounds: What was measured.
        missing: Why a server has no figures.
        layout: What stands beside the figures, and what was promised.
    """
    head = (*HEAD, *layout.beside)
    rounds = {key: tried for key, tried in rounds.items() if key[0] not in missing}
    sections = []
    for connections in sorted({number for _, number in rounds}):
        names = [name for name, number in rounds if number == connections]
        rows = [row(name, connections, rounds, layout) for name in names]
        rows += [[name, why, *blank(head)] for name, why in missing.items()]
        title = f"### {connections} connection{'s' if connections > 1 else ''}"
        sections += [title, markdown(head, rows)]
    if told := [line for promise in layout.promises if (line := promise.line(rounds))]:
        sections += ["### What was promised", markdown(PROMISE_HEAD, told)]
    return "\n\n".join(sections)


def row(name: str, connections: int, rounds: Rounds, layout: Layout) -> list[str]:
    """Write one server's line."""
    tried = rounds[name, connections]
    own = figures(tried)
    dropped = sum(bool(each.fault) for each in tried)
    label = f"{name} ({dropped} of {len(tried)} rounds dropped)" if dropped else name
    if own is None:
        return [label, tried[-1].fault, *blank((*HEAD, *layout.beside))]
    return [
        label,
        f"{own.rate:,.0f}",
        f"{own.lowest:,.0f} to {own.highest:,.0f}",
        f"{own.p50:.2f}",
        f"{own.p99:.2f}",
        *(
            ratio(own, figures(rounds.get((other, connections), ())))
            for other in layout.beside.values()
        ),
    ]


def blank(head: Sequence[str]) -> list[str]:
    """Leave the cells empty that have no figures: all but a name and a reason."""
    return [""] * (len(head) - 2)


def ratio(own: Figures, other: Figures | None) -> str:
    """Write how many times faster than another."""
    return f"{own.rate / other.rate:.2f}" if other else ""


def markdown(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Write a table; all columns but the first are numbers."""
    lines = [head, ["---", *["--:"] * (len(head) - 1)], *rows]
    cells = ([cell.replace("|", "\\|") for cell in line] for line in lines)
    return "\n".join(f"| {' | '.join(line)} |" for line in cells)


def _promises(connections: int, of_bare: float, of_fastapi: float) -> Iterable[Promise]:
    times = {BARE_ASGI: of_bare, FASTAPI: of_fastapi, MOSEC: 3}
    times |= {peer.name: 12 for peer in PEERS if peer.name not in {MOSEC, BATCHES}}
    for other, least in times.items():
        words = f"requests/s, relative to {other}"
        yield Promise(words=words, other=other, connections=connections, least=least)
    yield Promise(
        words="p99 of the bare ASGI callable, relative to ours",
        other=BARE_ASGI,
        connections=connections,
        least=0.5,
        measure=lambda own, other: other.p99 / own.p99,
    )
    yield Promise(
        words="requests/s signed in, relative to not signed in",
        name=SIGNED_IN,
        other=STOPGAP,
        connections=connections,
        least=1 / 1.1,  # a tenth more time
    )


STAND_IN = Layout(
    beside={"Of bare ASGI": BARE_ASGI, "Times FastAPI": FASTAPI},
    promises=(*_promises(32, 0.75, 3.8), *_promises(128, 0.70, 6.0)),
)
"""With one worker on one core. mosec is held to its default, which is no batches."""
