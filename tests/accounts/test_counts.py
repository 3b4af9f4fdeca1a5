"""Where is counted, by the URL that says it; and what is said of one that does not."""

import sys

import pytest

from stopgap.accounts.counts import LimitsUnknown, LimitsUnusable, open_counts, without_password
from stopgap.accounts.memory_counts import MemoryCounts
from stopgap.accounts.shared_counts import SharedCounts


@pytest.mark.parametrize(
    "url", ["", "redis", "mongodb://user:hunter2@host", "memcached://host", "VALKEY://host"]
)
def test_an_unknown_place_is_refused(url: str) -> None:
    """A URL of no known kind is told with the known ones, and without its password."""
    with pytest.raises(LimitsUnknown, match=r"memory://.*valkey://.*redis://") as caught:
        open_counts(url, b"secret")
    assert "hunter2" not in caught.value.detail


@pytest.mark.parametrize(
    "url",
    ["valkey://:hunter2@host:port", "redis://:hunter2@host?db=x", "rediss://:hunter2@[host"]
    + ["redis://:hunter2@host?ssl_cert_reqs=none", "rediss://:hunter2@host?ssl_cert_reqs=perhaps"],
)
def test_a_server_that_is_named_wrongly_is_refused(url: str) -> None:
    """What is not written as it should be is refused, and its password not repeated."""
    with pytest.raises(LimitsUnusable, match="HOST") as caught:
        open_counts(url, b"secret")
    assert "hunter2" not in caught.value.detail


@pytest.mark.parametrize("scheme", ["valkey", "valkeys", "redis", "rediss"])
def test_opens_what_is_shared(scheme: str) -> None:
    """Each scheme of such a server is known; it is not asked before there is something to tell."""
    counts = open_counts(f"{scheme}://127.0.0.1:9/1", b"secret")
    assert isinstance(counts, SharedCounts)
    counts.exchange()


def test_opens_what_is_counted_alone() -> None:
    """In memory, each process counts by itself."""
    counts = open_counts("memory://", b"secret")
    assert type(counts) is MemoryCounts


def test_tells_which_library_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the library, the command that installs it is told."""
    monkeypatch.delitem(sys.modules, "stopgap.accounts.valkey", raising=False)
    monkeypatch.setitem(sys.modules, "valkey", None)
    with pytest.raises(LimitsUnusable, match="pip install valkey"):
        open_counts("valkey://host", b"secret")


def test_tells_where_without_the_password() -> None:
    """A place can be shown: its password is left out."""
    assert without_password("valkey://ann:hunter2@host:6379/1") == "valkey://host:6379"
    assert without_password("memory://") == "memory://"
