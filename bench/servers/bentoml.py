"""The prediction on BentoML.

python -m bentoml serve bench.servers.bentoml:Prediction
"""

import bentoml

from bench.servers.prediction import Count, Month, draw


@bentoml.service(workers=1, logging={"access": {"enabled": False}})
class Prediction:
    """One service, in one process."""

    @bentoml.api
    async def predict(
        self, seller_available: Count, month: Month, customer_visiting_website: Count
    ) -> int:
        """Predict."""
        return draw()
