"""Measures Stopgap and other model servers with the same model, in one run on one machine.

`make bench-models`, or `python -m bench.models`; `--write` puts the tables into docs/benchmarks.md.
The model is the sales example's pipeline. Server, model and load share all cores alike.
"""

import itertools
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from bench.arguments import parser
from bench.contestants import ROOT, STOPGAP
from bench.load import ToolMissing, find_tools
from bench.measuring import Plan, measure, not_installed
from bench.model_servers import CONTESTANTS, MOSEC
from bench.page import Section
from bench.serving import FOLDER, NotMeasured
from bench.table import Layout, Promise

MARKS = (
    "<!-- Written by `make bench-models`. -->",
    "<!-- The end of what `make bench-models` has written. -->",
)
CONNECTIONS = (32, 128)
LIBRARIES = ("granian", "pydantic", "scikit-learn", "pandas")


def _promises() -> Iterator[Promise]:
    """List how Stopgap has to stand beside each: before mosec, and far before the others."""
    for connections, each in itertools.product(CONNECTIONS, CONTESTANTS[1:]):
        is_mosec = each.name in MOSEC
        rate = Promise(
            words=f"predictions/s, relative to {each.name}",
            other=each.name,
            connections=connections,
            least=1 if is_mosec else 5,
        )
        yield rate
        if is_mosec:
            words = f"p99 of {each.name}, relative to ours"
            yield replace(rate, words=words, measure=lambda own, other: other.p99 / own.p99)


LAYOUT = Layout(beside={"Of Stopgap": STOPGAP}, promises=tuple(_promises()))
SECTION = Section(marks=MARKS, libraries=LIBRARIES, layout=LAYOUT)


def trained(folder: Path = FOLDER) -> Path:
    """Make the sales example's model, as its reader would; give the file."""
    copy = folder / "sales"
    shutil.rmtree(copy, ignore_errors=True)
    source = ROOT / "examples" / "sales"
    shutil.copytree(source, copy, ignore=shutil.ignore_patterns("sales.*", "__pycache__"))
    for step in ("make_data", "train"):
        subprocess.run([sys.executable, copy / f"{step}.py"], check=True, capture_output=True)
    return copy / "sales.skops"


def answer_of(model: Path) -> int:
    """Ask the model itself what everybody will be asked before and after each measurement."""
    code = (
        "from bench.servers.models.pipeline import Pipeline\n"
        "from bench.servers.prediction import Sales\n"
        "row = Sales(seller_available=5, month='january', customer_visiting_website=100)\n"
        "print(Pipeline().predict([row])[0])"
    )
    finished = subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        capture_output=True,
        text=True,
        env=os.environ | {"MODEL": str(model), "PYTHONPATH": str(ROOT)},
    )
    return int(finished.stdout)


def read_plan(arguments: Sequence[str]) -> tuple[Plan, bool]:
    """Read the command line: the plan, and whether to write the page."""
    names = [each.name for each in CONTESTANTS]
    given = parser("bench.models", __doc__, names, CONNECTIONS).parse_args(arguments)
    model = trained()
    chosen = [each for each in CONTESTANTS if not given.only or each.name in given.only]
    plan = Plan(
        contestants=chosen,
        required=chosen,
        connections=given.connections,
        rounds=given.rounds,
        seconds=given.seconds,
        server_core=None,
        load_core=None,
        expected=answer_of(model),
        known={"model": str(model)},
    )
    return plan, given.write


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and print the tables."""
    load_before = os.getloadavg()[0]
    try:
        find_tools()
        plan, writes = read_plan(sys.argv[1:] if arguments is None else arguments)
        missing = not_installed(plan.contestants)
    except (ToolMissing, NotMeasured, subprocess.CalledProcessError) as error:
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
