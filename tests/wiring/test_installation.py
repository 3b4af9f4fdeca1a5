"""Where an installation's things are kept, by what the settings say and by what they leave out."""

from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from stopgap import wiring
from stopgap.settings import Settings
from stopgap.wiring import Installation, Locations

POSTGRESQL = "postgresql://localhost/stopgap"
HERE, BESIDE = Path("/here"), "sqlite:////here/journal.db"


@pytest.mark.parametrize(
    ("settings", "database", "journal"),
    [
        (Settings(data=HERE), "sqlite:////here/stopgap.db", BESIDE),
        (Settings(data=HERE, database_url="sqlite:////a.db"), "sqlite:////a.db", BESIDE),
        (Settings(data=HERE, database_url=POSTGRESQL), POSTGRESQL, POSTGRESQL),
        (Settings(data=HERE, journal_url=POSTGRESQL), "sqlite:////here/stopgap.db", POSTGRESQL),
    ],
)
def test_databases(settings: Settings, database: str, journal: str) -> None:
    """SQLite's journal is a file of its own; PostgreSQL's is in the same database."""
    at = Locations.of(settings)
    assert (at.database, at.journal) == (database, journal)


def test_a_secret_is_never_shown() -> None:
    """Who prints an installation, or logs it, does not tell its secret."""
    installation = Installation(settings=Settings(data=Path("/here")), secret=b"hidden away")
    assert "hidden" not in repr(installation)


def test_a_secret_is_there_once_it_is_ready(tmp_path: Path) -> None:
    """What has been made ready has the secret of its settings, or one that was made for it."""
    made = wiring.prepare(Settings(data=tmp_path)).secret
    assert made.decode() == Locations.of(Settings(data=tmp_path)).secret.read_text().strip()
    told = "an operator's own secret, long enough"
    assert wiring.prepare(Settings(data=tmp_path, secret=told)).secret == told.encode()


def test_the_demo_account_is_named_while_it_is_the_demos(tmp_path: Path) -> None:
    """Nobody is told a password that an operator has replaced."""
    settings = Settings(data=tmp_path)
    installation = wiring.prepare(settings)
    assert wiring.is_demo_open(installation)
    assert not wiring.is_demo_open(wiring.prepare(replace(settings, demo_account=False)))
    with closing(wiring.build_parts(installation)) as parts:
        parts.accounts.set_password("orhan", "another one")
    assert not wiring.is_demo_open(wiring.prepare(settings))


def test_the_demo_account_is_open_once_it_is_enabled(tmp_path: Path) -> None:
    """What was so at the start is not kept: who is enabled later signs in without a restart."""
    installation = wiring.prepare(Settings(data=tmp_path))
    with closing(wiring.build_parts(installation)) as parts:
        parts.accounts.disable("orhan")
    with closing(wiring.build_parts(wiring.prepare(Settings(data=tmp_path)))) as parts:
        parts.accounts.enable("orhan")
        caller, _ = parts.sign_in.sign_in("orhan", "12345", "192.0.2.1")
    assert caller.account


def test_accounts_outlive_a_power_cut(tmp_path: Path) -> None:
    """Accounts, keys, releases and images are flushed at each commit; the journal's are not."""
    installation = wiring.prepare(Settings(data=tmp_path))
    with closing(wiring.build_parts(installation)) as parts, parts.database.read() as connection:
        assert connection.scalar(text("PRAGMA synchronous")) == 2  # FULL


@pytest.mark.parametrize(("account", "hours"), [(None, 1), ("an account's", 100)])
def test_how_long_a_guests_session_lasts(tmp_path: Path, account: str | None, hours: int) -> None:
    """Guests and accounts have each the time that the settings say."""
    settings = Settings(data=tmp_path, guest_hours=1, session_hours=100)
    with closing(wiring.build_parts(wiring.prepare(settings))) as parts:
        row, _ = parts.sessions.draft(name="x", password_length=None, account_id=account)
    assert row.expires_at - row.created_at == timedelta(hours=hours)
