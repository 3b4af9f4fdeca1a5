"""A model for `bench.shadow`: fine while it is verified and warmed up, it hangs over requests."""

import os
import time

from stopgap.contracts.madcompany import Sales

ASKED = 5_000
"""The load asks for fewer visitors than this; rows drawn from the contract hardly ever do."""


def model(row: Sales) -> int:
    """Answer, or hang."""
    if row.customer_visiting_website < ASKED and "HARMLESS" not in os.environ:
        time.sleep(3_600)
    return 3_000
