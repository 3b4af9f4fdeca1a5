"""Releases for the pages to show: handed in, verified, compared; the stand-in answers all along."""

import json

from tests.acceptance.desk import NAME, SHOP
from tests.releases.making import report

from stopgap.contracts.madcompany import contract
from stopgap.models.specification import Specification
from stopgap.parts import Parts
from stopgap.releases.comparing import Comparison
from stopgap.releases.tally import OUTCOMES, Tally

BROKEN, SOUND = 1, 2
"""Numbers: of one that broke rules, and of one that was a shadow and has figures."""


def hand_in_releases(parts: Parts) -> None:
    """Hand two models in; the second has been a shadow for some time."""
    known, at = parts.releases, parts.clock.now()
    specification = Specification(uri=f"python:{SHOP}:Steady", artifact=parts.artifacts.put(SHOP))
    for broken in (("survives", "repeats"), ()):
        number = known.add(NAME, specification, "ann", "trained in May").number
        known.keep_report(NAME, number, report(contract, *broken, at=at), "ann")
    known.promote(NAME, SOUND, "ann", stage="shadow", reason="it looks well")
    known.withdraw(NAME, SOUND, "ann", "seen enough")
    tally, comparison = Tally(contract=NAME, number=SOUND), Comparison(contract.output_kind)
    for number in range(300):
        tally.add(
            OUTCOMES[number % 40 % len(OUTCOMES) if number % 40 < 6 else 0], 900 + 40 * number
        )
        inputs = {"seller_available": number, "month": "may", "customer_visiting_website": 100}
        comparison.add(json.dumps(inputs).encode(), 3000, 3000 + (number % 31 - 15) ** 3 // 4)
    parts.watch.tally("shown", [tally])
    parts.watch.compare(NAME, SOUND, 0, "shown", comparison)
    parts.watch.compare(NAME, SOUND, BROKEN, "shown", comparison)
