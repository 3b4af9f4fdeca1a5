"""What takes several parts at once."""

from pathlib import Path

import pytest
from tests.commands import opened
from tests.pictures import png

from stopgap.accounts.account import AccountNotFound
from stopgap.accounts.permissions import Role
from stopgap.accounts.sign_in import SignInRefused
from stopgap.images.image import Uploader
from stopgap.journal.journal import Journal
from stopgap.storage.database_faults import DatabaseUnreachable


def test_a_deletion_that_breaks_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody can use the account from then on, and it can be deleted again."""

    def break_off(_journal: Journal, _caller: str) -> int:
        raise DatabaseUnreachable("the journal", "it is away")

    with opened(tmp_path) as parts:
        ann = parts.accounts.add("ann", "open sesame", Role.CLIENT)
        parts.images.add(png(), Uploader(id=ann.id, guest=False, address="127.0.0.1"))
        _, session = parts.sign_in.sign_in("ann", "open sesame", "127.0.0.1")
        with monkeypatch.context() as patched:
            patched.setattr(Journal, "anonymise", break_off)
            with pytest.raises(DatabaseUnreachable):
                parts.delete_account("ann")
        assert parts.sessions.caller(session) is None
        with pytest.raises(SignInRefused):
            parts.sign_in.sign_in("ann", "open sesame", "127.0.0.1")
        assert parts.delete_account("ann") == (0, 0)
        with pytest.raises(AccountNotFound):
            parts.accounts.get("ann")
