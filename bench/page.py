"""The page: under which circumstances something was measured, and where it is written down."""

import os
import platform
import re
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from bench.contestants import ROOT, Contestant
from bench.measuring import WARM_SECONDS, Plan, Results
from bench.table import Layout, tables

PAGE = ROOT / "docs" / "benchmarks.md"
IDLE = 0.3
"""Load of a machine that nobody else works on."""


@dataclass(frozen=True, kw_only=True)
class Section:
    """What one kind of measurement writes down, and where."""

    marks: tuple[str, str]  # between which it stands in the page
    libraries: Sequence[str]  # of our own, whose versions are told
    layout: Layout

    def tell(self, plan: Plan, results: Results, load_before: float, *, writes: bool) -> None:
        """Print what was measured, and put it into the page if that is wanted."""
        where = circumstances(plan, load_before, self.libraries)
        text = f"{where}\n\n{tables(results.rounds, results.missing, self.layout)}"
        print(text)
        if writes:
            write(text, self.marks)


def circumstances(plan: Plan, load_before: float, libraries: Sequence[str]) -> str:
    """Tell where, when and with what; of our own libraries, with these."""
    model = re.search(r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    machine = f"{model[1] if model else platform.machine()}, {os.cpu_count()} cores"
    busy = "" if load_before < IDLE else " (**not idle: do not trust these figures**)"
    facts = {
        "Date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, Stopgap {version_here()}",
        "Machine": f"{machine}, Linux {platform.release()}; load before the start "
        f"{load_before:.2f}{busy}",
        "Versions": ", ".join(dict.fromkeys(versions(plan.contestants, libraries))),
        "Rounds": f"{plan.rounds} of {plan.seconds:g} s each, after {WARM_SECONDS:g} s to warm up",
    }
    return "\n".join(f"- {name}: {text}" for name, text in facts.items())


def version_here() -> str:
    """Name the commit that is measured, and whether anything was changed since."""
    words = ["git", "-C", str(ROOT), "describe", "--always", "--dirty"]
    finished = subprocess.run(words, check=False, capture_output=True, text=True)
    return finished.stdout.strip() or "of no known commit"


def versions(contestants: Sequence[Contestant], libraries: Sequence[str]) -> Iterator[str]:
    """Tell the versions of everything that takes part."""
    yield f"Python {platform.python_version()}"
    for name in libraries:
        yield f"{name} {version(name)}"
    for environment in filter(None, (each.environment for each in contestants)):
        pins = (ROOT / f"bench/requirements-{environment}.txt").read_text()
        for name in (environment, "uvicorn") if environment == "fastapi" else (environment,):
            found = re.search(rf"^{name}==(\S+)", pins, re.MULTILINE)
            yield f"{name} {found[1] if found else 'unknown'}"
    said = subprocess.run(["wrk", "-v"], check=False, capture_output=True, text=True).stdout
    yield " ".join(said.split()[:2])


def write(text: str, marks: tuple[str, str], page: Path = PAGE) -> None:
    """Put the tables between these marks of the page."""
    begin, end = marks
    head, _, rest = page.read_text(encoding="utf-8").partition(begin)
    tail = rest.partition(end)[2]
    page.write_text(f"{head}{begin}\n\n{text}\n\n{end}{tail}", encoding="utf-8")
