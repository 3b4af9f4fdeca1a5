"""The prediction on FastAPI, as its tutorial writes it.

python -m uvicorn bench.servers.fastapi:app
"""

from fastapi import FastAPI

from bench.servers.prediction import Count, Month, draw

app = FastAPI()


@app.get("/predict/{seller_available}/{month}/{customer_visiting_website}")
async def predict(seller_available: Count, month: Month, customer_visiting_website: Count) -> int:
    """Predict."""
    return draw()
