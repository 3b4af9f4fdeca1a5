"""Who asked a second ago is known without everybody asking again, and no longer."""

from tests.fakes import FakeClock

from stopgap.accounts.account import Caller
from stopgap.accounts.permissions import Role
from stopgap.accounts.recent import LENGTH_MAX, ROOM, RecentCallers

X = (b"cookie", b"x")
CALLER = Caller(id="a-1", name="orhan", role=Role.CLIENT, account=True)


def test_a_caller_is_known_for_a_second(clock: FakeClock) -> None:
    """A header's caller is known for a second, and then has to be looked up."""
    recent = RecentCallers(clock.monotonic)
    assert recent.peek(X) is None
    recent.remember(X, CALLER)
    clock.forward(seconds=1)
    assert recent.peek(X) == ("a-1",)
    clock.forward(seconds=0.01)
    assert recent.peek(X) is None


def test_one_request_asks_anew(clock: FakeClock) -> None:
    """After half a second one request asks anew; the others know the caller to the second's end."""
    recent = RecentCallers(clock.monotonic)
    assert recent.recall(X) is None
    recent.remember(X, CALLER)
    clock.forward(seconds=0.5)
    assert recent.recall(X) == ("a-1",)
    clock.forward(seconds=0.01)
    assert recent.recall(X) is None
    assert [recent.recall(X) for _ in range(3)] == [("a-1",)] * 3
    clock.forward(seconds=0.5)
    assert [recent.recall(X) for _ in range(3)] == [None] * 3
    recent.remember(X, None)
    assert recent.recall(X) == (None,)


def test_nobody_is_known_too(clock: FakeClock) -> None:
    """A header that is nobody's is known to be so."""
    recent = RecentCallers(clock.monotonic)
    recent.remember(X, None)
    assert recent.recall(X) == (None,)


def test_a_cookie_is_no_key(clock: FakeClock) -> None:
    """The same text in another header says nothing about who asks."""
    recent = RecentCallers(clock.monotonic)
    recent.remember(X, CALLER)
    assert recent.recall((b"authorization", b"x")) is None


def test_room_is_bounded(clock: FakeClock) -> None:
    """However many headers come, no more than so many are remembered."""
    recent = RecentCallers(clock.monotonic)
    for number in range(ROOM + 1):
        recent.remember((b"cookie", b"%d" % number), None)
    known = [number for number in range(ROOM + 1) if recent.recall((b"cookie", b"%d" % number))]
    assert known == [ROOM]


def test_a_long_header_is_not_remembered(clock: FakeClock) -> None:
    """Nobody has the server keep more than a browser would send."""
    recent = RecentCallers(clock.monotonic)
    for length in (LENGTH_MAX, LENGTH_MAX + 1):
        recent.remember((b"cookie", b"x" * length), None)
        assert (recent.recall((b"cookie", b"x" * length)) is None) is (length > LENGTH_MAX)
