"""Makes the sales that the model learns from: step 2 of docs/tutorial.md.

`python examples/sales/make_data.py` writes sales.csv.

Ten branches of a shop, six years of months. Nobody's real numbers, but they behave like some:
visitors come in seasons and grow from year to year, a few in a hundred want to buy, each seller can
serve only so many of them, and the hundredth buyer brings less than the first. The same seed makes
the same file.
"""

from pathlib import Path

import numpy as np
import pandas as pd

HERE = Path(__file__).parent
SEED = 20_251_231
BRANCHES, YEARS = 10, range(2020, 2026)
SEASONS = {  # how many visit in a month, relative to the year
    "january": 0.80,
    "february": 0.78,
    "march": 0.90,
    "april": 0.97,
    "may": 1.02,
    "june": 1.00,
    "july": 0.88,
    "august": 0.85,
    "september": 1.03,
    "october": 1.10,
    "november": 1.35,
    "december": 1.55,
}
GROWTH = 0.04  # more visitors each year
BUYERS = 0.05  # of the visitors; a fifth more of them in the months of presents
PRESENTS = ("november", "december")
SERVED = 12  # buyers that one seller serves in a month, at most
NOISE = 70  # of sales, one standard deviation


def months(source: np.random.Generator) -> pd.DataFrame:
    """List every month of every branch: who works there, and who looks at its website."""
    rows = []
    for branch in range(BRANCHES):
        staff, audience = source.integers(2, 30), source.integers(400, 5_000)
        for year in YEARS:
            for month, season in SEASONS.items():
                grown = audience * season * (1 + GROWTH) ** (year - YEARS[0])
                sellers = max(1, staff + source.integers(-3, 4))
                visitors = round(grown * source.lognormal(0, 0.2))
                rows.append((branch, year, sellers, month, visitors))
    names = ["branch", "year", "seller_available", "month", "customer_visiting_website"]
    return pd.DataFrame(rows, columns=names)


def sales(data: pd.DataFrame, source: np.random.Generator) -> pd.Series:
    """Tell what each month sold, from 2000 to 5000."""
    buyers = data["customer_visiting_website"] * BUYERS
    buyers *= np.where(data["month"].isin(PRESENTS), 1.2, 1.0)
    capacity = data["seller_available"] * SERVED
    served = capacity * (1 - np.exp(-buyers / capacity))
    expected = 2_100 + 3_000 * served / (served + 90)
    return (expected + source.normal(0, NOISE, len(data))).round().clip(2_000, 5_000).astype(int)


def main() -> None:
    """Write sales.csv."""
    source = np.random.default_rng(SEED)
    data = months(source)
    data["sales"] = sales(data, source)
    data.to_csv(HERE / "sales.csv", index=False)
    lowest, highest = data["sales"].min(), data["sales"].max()
    print(f"sales.csv: {len(data)} months, sales from {lowest} to {highest}")


if __name__ == "__main__":
    main()
