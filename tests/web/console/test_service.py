"""The service's numbers: what /metrics tells, for people."""

import re

from tests.web.console.conftest import House


def test_the_numbers(house: House) -> None:
    """Requests are told by route, predictions by release, and failures where they are."""
    somebody = house.client()
    for _ in range(3):
        somebody.get("/predict/5/january/100")
    somebody.get("/predict/5/smarch/100")
    somebody.post("/login", username="ann", password="wrong")
    page = house.client("root").get("/console/service").text.replace("<wbr>", "")
    rows = {
        " ".join(re.sub("<[^>]+>", " ", head).split()): re.sub("<[^>]+>", " ", rest).split()
        for head, rest in re.findall(r'<th scope="row">(.*?)</th>(.*?)</tr>', page, re.DOTALL)
    }
    assert rows["madcompany stand-in (stable)"][:2] == ["3", "0"]
    (path,) = (name for name in rows if name.startswith("/predict/") and "rest" not in name)
    assert rows[path][:3] == ["4", "1", "0"]
    assert rows["/login"][:3] == ["2", "1", "0"]
    assert re.search(r'Refused sign-ins</dt><dd class="number">1<', page)
    assert re.search(r'Journal backlog</dt><dd class="number">[1-9]', page)
