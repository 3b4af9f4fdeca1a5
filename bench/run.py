"""Measures Stopgap beside other servers, in one run on one machine; prints the tables.

`make bench`, or `python -m bench.run`; `--peers` adds the model servers, `--write` puts the tables
into docs/benchmarks.md. Each server is started for each measurement and stopped after it; the
rounds go around all of them, so that whatever else the machine does meets all alike.
"""

import argparse
import os
import platform
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from bench.contestants import OURS, PEERS, ROOT, STOPGAP, Contestant
from bench.load import Round, ToolMissing, find_tools, run_wrk
from bench.serving import Answer, NotMeasured, ask, hold, python_of, serving, signed_in, valid
from bench.table import figures, tables

PAGE = ROOT / "docs" / "benchmarks.md"
MARKS = "<!-- Written by `make bench`. -->", "<!-- The end of what is written. -->"
WARM_SECONDS = 1.0
IDLE = 0.3
"""Load of a machine that nobody else works on."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is measured, and how long."""

    contestants: Sequence[Contestant]
    connections: Sequence[int]
    rounds: int
    seconds: float
    server_core: int
    load_core: int


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


def measure(plan: Plan, pattern: Answer, missing: Mapping[str, str]) -> Results:
    """Measure every server in its turn; who cannot be measured is not tried again."""
    results = Results(missing=dict(missing))
    for number, connections, each in turns(plan):
        if each.name in results.missing:
            continue
        try:
            result = measure_once(each, connections, plan, pattern)
        except NotMeasured as error:
            results.missing[each.name] = str(error)
            tell(f"NOT MEASURED: {each.name} {error}")
            continue
        results.rounds.setdefault((each.name, connections), []).append(result)
        tell(f"{number}/{plan.rounds} {each.name}, {connections}: {shown(result)}")
    return results


def measure_once(contestant: Contestant, connections: int, plan: Plan, pattern: Answer) -> Round:
    """Start one server, warm it up, measure it, stop it."""
    with serving(contestant, plan.server_core, pattern) as port:
        request = contestant.request
        if contestant.signs_in:
            request = signed_in(port, request)
        hold(port, contestant, request, pattern)
        for seconds in (WARM_SECONDS, plan.seconds):
            result = run_wrk(
                port, request, core=plan.load_core, connections=connections, seconds=seconds
            )
        hold(port, contestant, request, pattern)
        return result


def shown(result: Round) -> str:
    """Tell a round in one line."""
    text = f"{result.rate:,.0f}/s, p50 {result.p50:.2f} ms, p99 {result.p99:.2f} ms"
    return f"DROPPED: {result.fault} ({text})" if result.fault else text


def stopgaps_own_answer(core: int) -> Answer:
    """Ask Stopgap once; the bare callables will send the same headers, and as long a body."""
    contestant = next(each for each in OURS if each.name == STOPGAP)
    with serving(contestant, core) as port:
        return ask(port, valid(contestant.request))


def two_cores() -> tuple[int, int]:
    """Choose a core for the server and one for the load, as far apart as they are numbered.

    Raises:
        ToolMissing: there is only one.
    """
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) == 1:
        raise ToolMissing("The server and the load need a core each, and there is only one.")
    return cores[-1], cores[0]


def circumstances(plan: Plan, load_before: float) -> str:
    """Tell where, when and with what."""
    model = re.search(r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    machine = f"{model[1] if model else platform.machine()}, {os.cpu_count()} cores"
    busy = "" if load_before < IDLE else " (**not idle: do not trust these figures**)"
    facts = {
        "Date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, Stopgap {version_here()}",
        "Machine": f"{machine}, Linux {platform.release()}; load before the start "
        f"{load_before:.2f}{busy}",
        "Versions": ", ".join(dict.fromkeys(versions(plan.contestants))),
        "Rounds": f"{plan.rounds} of {plan.seconds:g} s each, after {WARM_SECONDS:g} s to warm up",
    }
    return "\n".join(f"- {name}: {text}" for name, text in facts.items())


def version_here() -> str:
    """Name the commit that is measured, and whether anything was changed since."""
    words = ["git", "-C", str(ROOT), "describe", "--always", "--dirty"]
    finished = subprocess.run(words, check=False, capture_output=True, text=True)
    return finished.stdout.strip() or "of no known commit"


def versions(contestants: Sequence[Contestant]) -> Iterator[str]:
    """Tell the versions of everything that takes part."""
    yield f"Python {platform.python_version()}"
    for name in ("granian", "flask", "pydantic"):
        yield f"{name} {version(name)}"
    for environment in filter(None, (each.environment for each in contestants)):
        pins = (ROOT / f"bench/requirements-{environment}.txt").read_text()
        for name in (environment, "uvicorn") if environment == "fastapi" else (environment,):
            found = re.search(rf"^{name}==(\S+)", pins, re.MULTILINE)
            yield f"{name} {found[1] if found else 'unknown'}"
    said = subprocess.run(["wrk", "-v"], check=False, capture_output=True, text=True).stdout
    yield " ".join(said.split()[:2])


def tell(line: str) -> None:
    """Tell how it goes."""
    print(line, file=sys.stderr, flush=True)


def write(text: str, page: Path = PAGE) -> None:
    """Put the tables between the marks of the page."""
    begin, end = MARKS
    head, _, rest = page.read_text(encoding="utf-8").partition(begin)
    tail = rest.partition(end)[2]
    page.write_text(f"{head}{begin}\n\n{text}\n\n{end}{tail}", encoding="utf-8")


def read_plan(arguments: Sequence[str]) -> tuple[Plan, bool]:
    """Read the command line: the plan, and whether to write the page."""
    parser = argparse.ArgumentParser(prog="python -m bench.run", description=__doc__)
    parser.add_argument("--peers", action="store_true", help="the other model servers too")
    parser.add_argument(
        "--only",
        nargs="+",
        choices=[each.name for each in (*OURS, *PEERS)],
        metavar="NAME",
        help="these alone",
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4, help="of each measurement")
    parser.add_argument("--connections", type=int, nargs="+", default=[1, 32, 128])
    parser.add_argument("--write", action="store_true", help="put the tables into the page")
    given = parser.parse_args(arguments)
    chosen = [*OURS, *PEERS] if given.peers or given.only else OURS
    server_core, load_core = two_cores()
    plan = Plan(
        contestants=[each for each in chosen if not given.only or each.name in given.only],
        connections=given.connections,
        rounds=given.rounds,
        seconds=given.seconds,
        server_core=server_core,
        load_core=load_core,
    )
    return plan, given.write


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


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and print the tables."""
    load_before = os.getloadavg()[0]
    try:
        plan, writes = read_plan(sys.argv[1:] if arguments is None else arguments)
        find_tools()
        missing = not_installed(plan.contestants)
        pattern = stopgaps_own_answer(plan.server_core)
    except (ToolMissing, NotMeasured) as error:
        sys.exit(str(error))
    results = measure(plan, pattern, missing)
    where = circumstances(plan, load_before)
    text = f"{where}\n\n{tables(results.rounds, results.missing)}"
    print(text)
    if writes:
        write(text)
    ours = [each for each in plan.contestants if each in OURS]
    sys.exit(0 if results.has_all(ours, plan.connections) else "Not everything was measured.")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
