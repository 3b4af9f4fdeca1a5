"""Measures Stopgap beside other servers, in one run on one machine; prints the tables.

`make bench`, or `python -m bench.run`; `--peers` adds the model servers, `--write` puts the tables
into docs/benchmarks.md. Each server is started for each measurement and stopped after it; the
rounds go around all of them, so that whatever else the machine does meets all alike.
"""

import os
import sys
from collections.abc import Sequence
from dataclasses import replace

from bench.arguments import parser
from bench.contestants import OURS, PEERS, STOPGAP, Contestant
from bench.load import ToolMissing, find_tools
from bench.measuring import Plan, measure, not_installed
from bench.page import Section
from bench.serving import Answer, NotMeasured, ask, serving, valid
from bench.table import STAND_IN

CONNECTIONS = (1, 32, 128)
MARKS = "<!-- Written by `make bench`. -->", "<!-- The end of what is written. -->"
SECTION = Section(marks=MARKS, libraries=("granian", "flask", "pydantic"), layout=STAND_IN)


def stopgaps_own_answer(core: int | None) -> Answer:
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


def required(chosen: Sequence[Contestant], *, named: bool) -> Sequence[Contestant]:
    """Tell without whose figures a run is not whole: ours, or all that were asked for by name."""
    return [each for each in chosen if named or each in OURS]


def read_plan(arguments: Sequence[str]) -> tuple[Plan, bool]:
    """Read the command line: the plan, and whether to write the page."""
    names = [each.name for each in (*OURS, *PEERS)]
    options = parser("bench.run", __doc__, names, CONNECTIONS)
    options.add_argument("--peers", action="store_true", help="the other model servers too")
    given = options.parse_args(arguments)
    chosen = [*OURS, *(PEERS if given.peers or given.only else ())]
    server_core, load_core = two_cores()
    chosen = [each for each in chosen if not given.only or each.name in given.only]
    plan = Plan(
        contestants=chosen,
        required=required(chosen, named=bool(given.only)),
        connections=given.connections,
        rounds=given.rounds,
        seconds=given.seconds,
        server_core=server_core,
        load_core=load_core,
    )
    return plan, given.write


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and print the tables."""
    load_before = os.getloadavg()[0]
    try:
        plan, writes = read_plan(sys.argv[1:] if arguments is None else arguments)
        find_tools()
        missing = not_installed(plan.contestants)
        plan = replace(plan, pattern=stopgaps_own_answer(plan.server_core))
    except (ToolMissing, NotMeasured) as error:
        sys.exit(str(error))
    results = measure(plan, missing)
    SECTION.tell(plan, results, load_before, writes=writes)
    whole = results.has_all(plan.required, plan.connections)
    sys.exit(0 if whole else "Not everything was measured.")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
