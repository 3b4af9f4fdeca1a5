"""Admission: who may come in."""

import pytest
from tests.fakes import FakeClock
from tests.front.requests import scope

from stopgap.accounts.account import Caller
from stopgap.accounts.memory_counts import MemoryCounts
from stopgap.accounts.permissions import Role
from stopgap.accounts.prediction_limit import PredictionLimit
from stopgap.accounts.recent import RecentCallers
from stopgap.errors import Overloaded
from stopgap.front.admission import InFlightLimit, Quota
from stopgap.problems import PredictionsThrottled
from stopgap.request_notes import COUNTED
from stopgap.settings import read_settings

PROXY = "192.0.2.1"


def test_places() -> None:
    """No more come in than there are places; a kept one is there all the same."""
    limit = InFlightLimit(1)
    with limit.taking(kept=False):
        with pytest.raises(Overloaded), limit.taking(kept=False):
            pass
        with limit.taking(kept=True):
            assert limit.taken == 2
    assert limit.taken == 0
    with pytest.raises(ZeroDivisionError), limit.taking(kept=False):
        raise ZeroDivisionError
    with limit.taking(kept=False):
        assert limit.taken == 1


@pytest.fixture
def recent(clock: FakeClock) -> RecentCallers:
    """Remember an account that was seen with a key and a cookie, a guest, and nobody's cookie."""
    callers = RecentCallers(clock.monotonic)
    ann = Caller(id="1", name="ann", role=Role.CLIENT, account=True)
    callers.remember((b"authorization", b"Bearer good"), ann)
    callers.remember((b"cookie", b"stopgap_session=good"), ann)
    guest = Caller(id="2", name="eve", role=Role.GUEST, account=False)
    callers.remember((b"cookie", b"stopgap_session=guest"), guest)
    callers.remember((b"cookie", b"theme=dark"), None)
    return callers


@pytest.fixture
def quota(recent: RecentCallers) -> Quota:
    """Allow two predictions in a day; the proxy is trusted."""
    trusted = read_settings({"STOPGAP_TRUSTED_PROXIES": PROXY}).trusted_proxies
    limit = PredictionLimit("2/day", MemoryCounts())
    return Quota(limit, prefixes=["/predict"], pages=["/page"], recent=recent, trusted=trusted)


def refused(quota: Quota, *headers: tuple[bytes, bytes], path: str = "/predict") -> bool:
    """Ask for a prediction; tell whether it is one too many."""
    return quota.charge(scope(path, *headers)) is not None


def test_one_too_many(quota: Quota) -> None:
    """After as many as may be, there are no more, and it is told when there will be."""
    paths = ["/predict", "/predict/5/january/100", "/predict"]
    assert [refused(quota, path=path) for path in paths] == [False, False, True]
    error = quota.charge(scope("/predict"))
    assert isinstance(error, PredictionsThrottled)
    assert 1 <= (error.retry_after or 0) <= 86_400
    assert refused(quota, path="//predict")  # as Flask reads it, it is the same
    assert not refused(quota, path="/status")
    assert not refused(quota, path="/predictions")


def test_who_only_looks(quota: Quota) -> None:
    """A page counts when it is asked for an answer; its bare form does not, nor do options."""
    for _ in range(5):
        assert not refused(quota, path="/page/of/one")
        assert quota.charge(scope("/predict", method="OPTIONS")) is None
    asked = [quota.charge(scope("/page", query_string=b"a=1")) for _ in range(3)]
    assert [bool(each) for each in asked] == [False, False, True]
    assert not refused(quota, path="/page")


def test_an_account_has_a_limit_of_its_own(quota: Quota) -> None:
    """Who is known counts as one, by whatever name and wherever from; all others by address."""
    known = [(b"authorization", b"Bearer good"), (b"cookie", b"stopgap_session=good")]
    assert [refused(quota, each) for each in (*known, *known)] == [False, False, True, True]
    others = [(b"cookie", b"theme=dark"), (b"cookie", b"stopgap_session=guest")]
    assert [refused(quota, each) for each in others] == [False, False]
    assert [refused(quota, *each) for each in ([others[0]], [others[1]], [])] == [True] * 3


def test_who_is_not_known_yet_is_counted_once(quota: Quota, recent: RecentCallers) -> None:
    """A key is not refused over what others did at its address; who it is, is found out first."""
    for _ in range(3):
        refused(quota)
    request = scope("/predict", (b"authorization", b"Bearer new"))
    assert [quota.charge(request) for _ in range(5)] == [None] * 5
    assert COUNTED not in request
    bob = Caller(id="3", name="bob", role=Role.CLIENT, account=True)
    recent.remember((b"authorization", b"Bearer new"), bob)
    assert [quota.charge(request) for _ in range(5)] == [None] * 5
    assert COUNTED in request
    again = [refused(quota, (b"authorization", b"Bearer new")) for _ in range(2)]
    assert again == [False, True]


def test_addresses(quota: Quota) -> None:
    """Behind a trusted proxy its clients count, each for itself; of IPv6 a network is one."""

    def from_(*addresses: str) -> bool:
        return refused(quota, *[(b"x-forwarded-for", each.encode()) for each in addresses])

    assert [from_("198.51.100.1"), from_("198.51.100.1", PROXY)] == [False, False]
    assert from_("1.2.3.4", "198.51.100.1")  # what the client itself claims is not believed
    assert not from_("198.51.100.2")
    assert [from_(f"2001:db8::{number}") for number in range(3)] == [False, False, True]
