"""Kill, lock, stop, flood, cut; then half load for long: all is counted, and the figures told."""

import argparse
import sys
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from tests.acceptance.crowding import CROWDS, SLOW, crowd
from tests.acceptance.flooding import CAPACITY, flood
from tests.acceptance.killing import VICTIMS, kill_under_load
from tests.acceptance.outages import gone_postgresql, locked_postgresql, locked_sqlite
from tests.acceptance.pressure import Outcomes
from tests.acceptance.reckoning import Reckoning
from tests.acceptance.stopping import stop_under_load
from tests.databases import postgresql_server

from soak.power import KEPT, can_cut_power, cut_power
from soak.steady import MEBIBYTE, Trend, hold_half_load

OUTAGE_SECONDS = 10
FLOOD_SECONDS = 60
CROWD_SECONDS = 30
WIDTH = 18
RECKONED = ("acknowledged", "lost", "doubled")
PARTS = ("kills", "outages", "stops", "floods", "crowds", "power", "steady")


def main(words: Sequence[str] | None = None) -> int:
    """Run the parts that are asked for; tell 1 if something did not hold."""
    parser = argparse.ArgumentParser(prog="make soak", description=__doc__)
    parser.add_argument("parts", nargs="*", help=f"{', '.join(PARTS)}; without any, all")
    parser.add_argument("--minutes", type=float, default=30.0, help="of half load")
    parser.add_argument("--rate", type=float, help="requests a second instead of half load")
    parser.add_argument("--kills", type=int, default=20, help="of each victim, in each way")
    parser.add_argument("--stops", type=int, default=10, help="in each way")
    parser.add_argument("--cuts", type=int, default=10, help="of the power, with each setting")
    options = parser.parse_args(words)
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"there is no {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    parts: dict[str, Callable[[Path], bool]] = {
        "kills": partial(kills, times=options.kills),
        "outages": outages,
        "stops": partial(stops, times=options.stops),
        "floods": floods,
        "crowds": crowds,
        "power": partial(power, times=options.cuts),
        "steady": partial(steady, seconds=options.minutes * 60, rate=options.rate),
    }
    held = True
    for name in options.parts or PARTS:
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


def stops(folder: Path, *, times: int) -> bool:
    """Stop it so many times while clients ask."""
    say(f"\nStopped under load, {times} times each")
    tell("workers", "told", "meanwhile", "broken off", "refused", *RECKONED, "ended within")
    held = True
    for processes in (1, 2):
        for alone, told_to in ((True, "one process"), (False, "all of them")):
            place = folder / f"{processes}-{alone}"
            outcome = stop_under_load(place, times, processes=processes, alone=alone)
            tell(
                *(processes, told_to, outcome.while_stopping),
                *(outcome.toll.broken, outcome.toll.refused.total()),
                *reckoned(outcome.reckoning),
                f"{outcome.slowest:.1f} s",
            )
            held &= hold(outcome.faults)
    return held


def floods(folder: Path) -> bool:
    """Ask for ten times of what a model can carry that takes 20 ms."""
    say(f"\nTen times the load of a model that takes 20 ms, for {FLOOD_SECONDS} s; 1 worker")
    tell(
        "model", "asked/s", "accepted/s", "p99", "refused/s", "p90", "p99", "/status p99", "broken"
    )
    held = True
    for model, capacity in CAPACITY.items():
        outcome = flood(folder / model, model, FLOOD_SECONDS)
        flooded = outcome.flood
        tell(
            *(model, f"{10 * capacity:.0f}"),
            *(f"{flooded.counts[200] / FLOOD_SECONDS:.0f}", milliseconds(flooded, 200, 0.99)),
            *(f"{flooded.counts[503] / FLOOD_SECONDS:.0f}", milliseconds(flooded, 503, 0.9)),
            *(milliseconds(flooded, 503, 0.99), milliseconds(outcome.status, 200, 0.99)),
            flooded.counts[0],
        )
        calm = [milliseconds(each, 200, 0.5) for each in (outcome.before, outcome.after)]
        say(f"  the median before and after: {calm[0]}, {calm[1]}")
        held &= hold(outcome.faults)
    return held


def crowds(folder: Path) -> bool:
    """Have hundreds send, or read, slowly."""
    say(f"\n{SLOW} who are slow, for {CROWD_SECONDS} s; 1 worker; predictions' p99")
    tell("who", "without", "meanwhile")
    held = True
    for name, who in CROWDS.items():
        outcome = crowd(folder / name, who, rounds=CROWD_SECONDS)
        tell(name, *(f"{each * 1000:.1f} ms" for each in (outcome.without, outcome.meanwhile)))
        held &= hold(outcome.faults)
    return held


def power(folder: Path, *, times: int) -> bool:
    """Cut the power under load, with each setting of when records are forced to the disk."""
    say(f"\nThe power cut under load, {times} times each; 2 workers")
    if not can_cut_power():
        return hold(["the power cannot be cut here: that needs root, and Linux"])
    tell("fsync", *RECKONED, "the oldest")
    held = True
    for fsync in KEPT:
        cuts = cut_power(folder / fsync, times, fsync=fsync)
        tell(fsync, cuts.acknowledged, cuts.lost, cuts.twice, f"{cuts.oldest:.2f} s")
        held &= hold(cuts.faults)
    return held


def milliseconds(outcomes: Outcomes, status: int, share: float) -> str:
    """Tell in which time such a share of the answers of a status came."""
    return f"{outcomes.quantile(status, share) * 1000:.1f} ms"


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
