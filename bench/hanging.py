"""A model for `bench.shadow`: it is fine while it is verified, and hangs over what is asked then."""

import os
import time

from stopgap.contracts.madcompany import Sales


def model(row: Sales) -> int:
    """Answer, or hang."""
    if row.customer_visiting_website < 5_000 and "HARMLESS" not in os.environ:
        time.sleep(3_600)
    return 3_000
