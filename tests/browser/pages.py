"""The one table of pages: every rule that holds for each page is held for each of its rows."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from tests.browser.handing_in import BROKEN, SOUND
from tests.browser.visiting import OK, OPERATOR, PASSWORD, Visitor
from tests.pictures import photograph, png

ASKED = "/console/predict/madcompany?seller_available=5&month=may&customer_visiting_website=100"
CHANGE = f"/console/releases/madcompany/change?action=canary&number={SOUND}"

PHOTOGRAPH = photograph()


@dataclass(frozen=True, kw_only=True)
class Row:
    """One page, as somebody sees it."""

    name: str
    path: str  # what stands in braces in it is told by `before`
    who: str = "nobody"  # "nobody", "guest", "orhan", "operator"
    status: int = OK
    before: Callable[[Visitor], dict[str, str]] = lambda _: {}  # makes what must be there


def with_photographs(visitor: Visitor) -> dict[str, str]:
    """Upload more photographs than a page shows."""
    for _ in range(9):
        answer = visitor.context.request.post(
            visitor.url + "/images",
            multipart={"image": {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": PHOTOGRAPH}},
        )
        assert answer.status == 201
    return {}


def with_images(visitor: Visitor) -> dict[str, str]:
    """Upload two images; tell the name of one."""
    for size in ((48, 32), (24, 64)):
        answer = visitor.context.request.post(
            visitor.url + "/images",
            multipart={
                "image": {"name": "a.png", "mimeType": "image/png", "buffer": png(size=size)}
            },
        )
        assert answer.status == 201
    return {"image": answer.text().removeprefix("/images/")}


def with_answers(visitor: Visitor) -> dict[str, str]:
    """Ask for some predictions; tell the id of the last, once it is in the journal."""
    for month in ("may", "june", "december"):
        answer = visitor.context.request.get(f"{visitor.url}/predict/5/{month}/100")
        request_id = answer.headers["x-request-id"]
    address = f"{visitor.url}/console/history/{request_id}"
    deadline = time.monotonic() + 10
    while visitor.context.request.get(address).status != OK:
        assert time.monotonic() < deadline, "the answer is not in the journal"
        time.sleep(0.05)
    return {"answer": request_id}


def with_a_key(visitor: Visitor) -> dict[str, str]:
    """Make a key."""
    answer = visitor.context.request.post(
        visitor.url + "/console/keys", form={"label": "nightly report"}
    )
    assert answer.status == 201
    return {}


PAGES = (
    Row(name="welcome", path="/"),
    Row(name="signed-in", path="/", who="orhan", before=with_images),
    Row(name="predict", path="/console/predict"),
    Row(name="answer", path=ASKED),
    Row(name="wrong", path=ASKED.replace("5", "five").replace("may", "maybe")),
    Row(name="no-images", path="/console/images"),
    Row(name="images", path="/console/images", who="orhan", before=with_images),
    Row(name="photographs", path="/console/images", who="guest", before=with_photographs),
    Row(name="image", path="/console/images/{image}", who="orhan", before=with_images),
    Row(name="deleted", path="/console/images?deleted", who="orhan"),
    Row(name="appearance", path="/console/appearance?saved"),
    Row(name="reference", path="/docs"),
    Row(name="problem-kind", path="/problems/input-malformed"),
    Row(name="not-found", path="/nowhere", status=404),
    Row(name="bad-value", path="/predict/five/january/100", status=400),
    Row(name="sign-in-needed", path="/console/images/nothing", status=401),
    Row(name="operator", path="/", who="operator"),
    Row(name="history", path="/console/history", who="orhan", before=with_answers),
    Row(name="all-history", path="/console/history", who="operator", before=with_answers),
    Row(name="no-history", path="/console/history", who="guest"),
    Row(
        name="wrong-filter",
        path="/console/history?field=month&value=smarch&begin=1&period=all",
        who="orhan",
        before=with_answers,
    ),
    Row(name="past-answer", path="/console/history/{answer}", who="operator", before=with_answers),
    Row(name="keys", path="/console/keys", who="orhan", before=with_a_key),
    Row(name="no-keys", path="/console/keys", who="guest"),
    Row(name="shared-account", path="/console/account", who="orhan"),
    Row(name="guest", path="/console/account", who="guest"),
    Row(name="account", path="/console/account", who="operator"),
    Row(name="accounts", path="/console/accounts", who="operator"),
    Row(name="service", path="/console/service", who="operator"),
    Row(name="releases", path="/console/releases", who="operator"),
    Row(name="release", path=f"/console/releases/madcompany/{SOUND}", who="operator"),
    Row(name="broken-release", path=f"/console/releases/madcompany/{BROKEN}", who="operator"),
    Row(name="stand-in", path="/console/releases/madcompany/0", who="operator"),
    Row(name="change", path=CHANGE + "&percent=10&sticky=caller", who="operator"),
    Row(name="wrong-change", path=CHANGE + "&percent=ten", who="operator", status=422),
)


def prepare(visitor: Visitor, row: Row) -> str:
    """Make a visitor the one who is meant to see a page; tell the page's address."""
    if row.who == "guest":
        visitor.be("jane", "secret")
    elif row.who == "orhan":
        visitor.be("orhan", "12345")
    elif row.who == "operator":
        visitor.be(OPERATOR, PASSWORD)
    path = row.path.format(**row.before(visitor))
    if row.status != OK:
        visitor.refused.add(path)
    return path


def bring(visitor: Visitor, row: Row) -> None:
    """Bring a visitor to a page, as the one who is meant to see it."""
    answer = visitor.page.goto(prepare(visitor, row))
    assert answer is not None
    assert answer.status == row.status
