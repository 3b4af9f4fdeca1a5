"""Kill, lock, take away; then half load for long: everything is counted, and the figures told."""

import argparse
import sys
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from tests.acceptance.killing import VICTIMS, kill_under_load
from tests.acceptance.outages import gone_postgresql, locked_postgresql, locked_sqlite
from tests.acceptance.reckoning import Reckoning
from tests.databases import postgresql_server

from soak.steady import MEBIBYTE, Trend, hold_half_load

OUTAGE_SECONDS = 10
WIDTH = 18
RECKONED = ("acknowledged", "lost", "doubled")


def main() -> int:
    """Run the parts that are asked for; tell 1 if something did not hold."""
    parser = argparse.ArgumentParser(prog="make soak", description=__doc__)
    parser.add_argument("parts", nargs="*", help="kills, outages, steady; without any, all")
    parser.add_argument("--minutes", type=float, default=30.0, help="of half load")
    parser.add_argument("--rate", type=float, help="requests a second instead of half load")
    parser.add_argument("--kills", type=int, default=20, help="of each victim, in each way")
    options = parser.parse_args()
    parts: dict[str, Callable[[Path], bool]] = {
        "kills": partial(kills, times=options.kills),
        "outages": outages,
        "steady": partial(steady, seconds=options.minutes * 60, rate=options.rate),
    }
    held = True
    for name in options.parts or parts:
        with tempfile.TemporaryDirectory(prefix=f"stopgap-{name}-") as folder:
            held &= parts[name](Path(folder))
    say("\nAll of it held." if held else "\nNot all of it held.")
    return 0 if held else 1


def kills(folder: Path, *, times: int) -> bool:
    """Kill each victim so many times, spaced and back to back."""
    say(f"\nKilled under load, {times} times each; 2 workers")
    tell("victim", "moments", "processes", "broken off", *RECKONED, "whole within")
    held = True
    for spaced, moments in ((True, "spaced"), (False, "back to back")):
        for victim in VICTIMS:
            place = folder / f"{victim.name} {moments}".replace(" ", "-")
            place.mkdir()
            outcome = kill_under_load(place, [victim] * times, spaced=spaced)
            tell(
                *(victim.name, moments, outcome.kills, outcome.toll.broken),
                *reckoned(outcome.reckoning),
                f"{outcome.whole_after:.1f} s",
            )
            held &= hold(outcome.faults)
    return held


def outages(folder: Path) -> bool:
    """Have the database locked, and gone, for a while."""
    say(f"\nThe database locked or gone for {OUTAGE_SECONDS} s; unknown callers, and known ones")
    tell("database", "failed", "slowest", "known: failed", "slowest", *RECKONED)
    held = True
    with postgresql_server() as server:
        cases = {
            "SQLite locked": partial(locked_sqlite, folder / "1"),
            "PostgreSQL locked": partial(locked_postgresql, folder / "2", server),
            "PostgreSQL gone": partial(gone_postgresql, folder / "3", server),
        }
        for name, case in cases.items():
            passed = case(OUTAGE_SECONDS)
            tell(
                *(name, passed.unknown.failed, f"{passed.unknown.slowest:.2f} s"),
                *(passed.known.failed, f"{passed.known.slowest:.2f} s"),
                *reckoned(passed.reckoning),
            )
            held &= hold(passed.faults)
    return held


def steady(folder: Path, *, seconds: float, rate: float | None) -> bool:
    """Ask at half load, or at a rate, for long, and see that nothing grows."""
    asked = f"{rate:g} requests a second" if rate else "Half load"
    say(f"\n{asked} for {seconds / 60:g} minutes; 2 workers")
    outcome = hold_half_load(folder, seconds, rate)
    say(f"{outcome.rate:.0f} requests a second, the slowest in {outcome.toll.slowest:.2f} s")
    tell("process", "MiB", "growth", "files", "growth", "threads", "growth", "flat")
    for course in outcome.courses:
        tell(
            course.name,
            *told(course.memory, MEBIBYTE),
            *told(course.files),
            *told(course.threads),
            "yes" if course.is_flat else "no",
        )
    tell(*RECKONED)
    tell(*reckoned(outcome.reckoning))
    return hold(outcome.faults)


def reckoned(reckoning: Reckoning) -> tuple[int, int, int]:
    """Tell the figures of a reckoning."""
    return reckoning.acknowledged, reckoning.missing, reckoning.twice


def told(trend: Trend, unit: float = 1) -> tuple[str, str]:
    """Tell how much there usually was, and how much it grew."""
    return f"{trend.usual / unit:.1f}", f"{trend.growth / unit:+.1f}"


def hold(faults: Sequence[str]) -> bool:
    """Tell what does not hold, if anything does not."""
    for fault in faults:
        say(f"  DOES NOT HOLD: {fault}")
    return not faults


def tell(*cells: object) -> None:
    """Tell one row of a table."""
    say("".join(str(cell).ljust(WIDTH) for cell in cells).rstrip())


def say(line: str) -> None:
    """Tell a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
