"""The measuring: every server in its turn, round after round, so that all meet the same machine."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from bench.contestants import Contestant
from bench.load import Round, run_wrk
from bench.serving import Answer, NotMeasured, hold, python_of, serving, signed_in
from bench.table import figures

WARM_SECONDS = 1.0


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is measured, and how long."""

    contestants: Sequence[Contestant]
    required: Sequence[Contestant]  # of them, those without whose figures the run is not whole
    connections: Sequence[int]
    rounds: int
    seconds: float
    server_core: int | None  # None: server and load share what there is
    load_core: int | None
    pattern: Answer | None = None  # Stopgap's own answer, for who has to send the same
    expected: int | None = None  # what all have to predict; None: anything that is promised
    known: Mapping[str, str] = field(default_factory=dict)  # what contestants' words stand for


@dataclass(kw_only=True)
class Results:
    """What has been measured so far."""

    rounds: dict[tuple[str, int], list[Round]] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)  # why a server has no figures

    def has_all(self, contestants: Sequence[Contestant], connections: Sequence[int]) -> bool:
        """Whether each of these servers has figures at each of these numbers of connections."""
        needed = [(each.name, number) for each in contestants for number in connections]
        none_missing = self.missing.keys().isdisjoint(each.name for each in contestants)
        return none_missing and all(figures(self.rounds.get(key, ())) for key in needed)


def turns(plan: Plan) -> Iterator[tuple[int, int, Contestant]]:
    """Say who is measured when: round, connections, server."""
    for number in range(1, plan.rounds + 1):
        for connections in plan.connections:
            for each in plan.contestants:
                yield number, connections, each


def taking_turns(rounds: int) -> Iterator[bool]:
    """Say whether what is measured is there: so many rounds with it, and so many without.

    Without, with, with, without: neither is always first, so that no drift favours one.
    """
    for number in range(2 * rounds):
        yield number % 4 in {1, 2}


def measure(plan: Plan, missing: Mapping[str, str]) -> Results:
    """Measure every server in its turn; who cannot be measured is not tried again."""
    results = Results(missing=dict(missing))
    for number, connections, each in turns(plan):
        if each.name in results.missing:
            continue
        try:
            result = measure_once(each, connections, plan)
        except NotMeasured as error:
            results.missing[each.name] = str(error)
            tell(f"NOT MEASURED: {each.name} {error}")
            continue
        results.rounds.setdefault((each.name, connections), []).append(result)
        tell(f"{number}/{plan.rounds} {each.name}, {connections}: {shown(result)}")
    return results


def measure_once(contestant: Contestant, connections: int, plan: Plan) -> Round:
    """Start one server, warm it up, measure it, stop it."""
    with serving(contestant, plan.server_core, plan.pattern, known=plan.known) as port:
        request = contestant.request
        if contestant.signs_in:
            request = signed_in(port, request)
        hold(port, contestant, request, plan.pattern, plan.expected)
        for seconds in (WARM_SECONDS, plan.seconds):
            result = run_wrk(
                port, request, core=plan.load_core, connections=connections, seconds=seconds
            )
        hold(port, contestant, request, plan.pattern, plan.expected)
        return result


def shown(result: Round) -> str:
    """Tell a round in one line."""
    text = f"{result.rate:,.0f}/s, p50 {result.p50:.2f} ms, p99 {result.p99:.2f} ms"
    return f"DROPPED: {result.fault} ({text})" if result.fault else text


def tell(line: str) -> None:
    """Tell how it goes."""
    print(line, file=sys.stderr, flush=True)


def not_installed(contestants: Sequence[Contestant]) -> dict[str, str]:
    """Make every environment before anything is measured; tell who has none, and why."""
    missing = {}
    for each in contestants:
        try:
            python_of(each.environment)
        except NotMeasured as error:
            missing[each.name] = str(error)
            tell(f"NOT MEASURED: {each.name} {error}")
    return missing
