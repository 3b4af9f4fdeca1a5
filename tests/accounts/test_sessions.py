"""Sessions: begun at a sign-in, ended from this side."""

import time
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, func, select, text
from tests.accounts.conftest import SECRET, House

from stopgap.accounts import store
from stopgap.accounts.accounts import DEMO_NAME, DEMO_PASSWORD
from stopgap.accounts.permissions import Role
from stopgap.accounts.sessions import SESSIONS_MAX, SessionNotFound, Sessions
from stopgap.accounts.store.tables import BATCH
from stopgap.clock import RandomIds
from stopgap.storage.columns import metadata

HERE = "192.0.2.1"


def test_a_session_tells_its_caller(house: House) -> None:
    """A session belongs to who signed in, under the name as it was typed."""
    caller, session_id = house.sign_in.sign_in("ADA", "correct", HERE)
    assert house.sessions.caller(session_id) == caller
    assert (caller.name, caller.role, caller.account) == ("ADA", Role.CLIENT, True)
    assert caller.id == house.accounts.get("ada").id
    assert caller.password_length == len("correct")


def test_every_sign_in_has_a_session_of_its_own(house: House) -> None:
    """No id is given twice, and ending one session leaves the others."""
    ids = [house.sign_in.sign_in("ada", "correct", HERE)[1] for _ in range(3)]
    assert len(set(ids)) == 3
    house.sessions.revoke(ids[0])
    house.sessions.revoke(ids[0])
    assert [house.sessions.caller(each) is None for each in ids] == [True, False, False]


def test_all_sessions_can_end_but_one(house: House) -> None:
    """All sessions of an account end at once, but for the one that is kept; others' stay."""
    house.accounts.add("bob", "builder")
    _, bobs = house.sign_in.sign_in("bob", "builder", HERE)
    signed_in = [house.sign_in.sign_in("ada", "correct", HERE) for _ in range(3)]
    ids = [session_id for _, session_id in signed_in]
    house.sessions.revoke_all(signed_in[0][0].id, except_=ids[1])
    assert [house.sessions.caller(each) is None for each in ids] == [True, False, True]
    house.sessions.revoke_all(signed_in[0][0].id)
    assert house.sessions.caller(ids[1]) is None
    assert house.sessions.caller(bobs) is not None


@pytest.mark.parametrize(("name", "hours"), [("orhan", 336), ("anybody", 24)])
def test_a_session_ends_in_time(name: str, hours: int, demo: House) -> None:
    """An account's session ends after 336 hours and a guest's after 24, to the moment."""
    _, session_id = demo.sign_in.sign_in(name, "12345", HERE)
    demo.clock.forward(hours=hours, microseconds=-1)
    assert demo.sessions.caller(session_id) is not None
    demo.clock.forward(microseconds=1)
    assert demo.sessions.caller(session_id) is None


def test_sessions_are_listed(house: House) -> None:
    """An account's sessions are listed, the newest first, without the ended ones."""
    caller, _ = house.sign_in.sign_in("ada", "correct", HERE)
    house.clock.forward(hours=300)
    house.sign_in.sign_in("Ada", "correct", HERE)
    assert [each.name for each in house.sessions.list(caller.id)] == ["Ada", "ada"]
    house.clock.forward(hours=40)
    (left,) = house.sessions.list(caller.id)
    assert left.expires_at - left.created_at == timedelta(hours=336)
    assert house.sessions.list("nobody") == []


def test_a_session_is_ended_by_its_number(house: House) -> None:
    """Of an account's sessions any can be ended, by a number that opens none; nobody else's can."""
    house.accounts.add("bob", "builder")
    bob, _ = house.sign_in.sign_in("bob", "builder", HERE)
    caller, first = house.sign_in.sign_in("ada", "correct", HERE)
    house.clock.forward(seconds=1)
    _, second = house.sign_in.sign_in("ada", "correct", HERE)
    newest, oldest = house.sessions.list(caller.id, current=second)
    assert (newest.current, oldest.current) == (True, False)
    assert house.sessions.caller(oldest.number) is None
    for owner, number in ((bob.id, oldest.number), (caller.id, "0" * 16), (caller.id, "")):
        with pytest.raises(SessionNotFound):
            house.sessions.end(owner, number)
    house.sessions.end(caller.id, oldest.number)
    assert house.sessions.caller(first) is None
    assert house.sessions.caller(second) == caller


def test_few_of_many_are_listed(house: House) -> None:
    """Of many sessions the one that asks and the newest are listed, and all are counted."""
    signed_in = []
    for _ in range(5):
        signed_in.append(house.sign_in.sign_in("ada", "correct", HERE))
        house.clock.forward(seconds=1)
    caller, second = signed_in[1]
    everything = house.sessions.list(caller.id, second)
    assert [each.current for each in everything] == [True, False, False, False, False]
    others = [each.created_at for each in everything[1:]]
    assert others == sorted(others, reverse=True)
    assert house.sessions.list(caller.id, second, limit=3) == everything[:3]
    assert house.sessions.count(caller.id) == 5
    assert house.sessions.count("nobody") == 0
    house.clock.forward(hours=336, seconds=-3)
    assert house.sessions.count(caller.id) == 2


def test_a_session_is_ended_without_a_look_at_the_others(house: House) -> None:
    """However many sessions an account has, one ends by a single statement."""
    caller, session_id = house.sign_in.sign_in("ada", "correct", HERE)
    (session,) = house.sessions.list(caller.id)
    sent: list[str] = []

    def note(*given: Any) -> None:
        sent.append(given[2])

    event.listen(house.database.engine, "before_cursor_execute", note)
    house.sessions.end(caller.id, session.number)
    assert [statement.split()[0] for statement in sent if "sessions" in statement] == ["DELETE"]
    assert house.sessions.caller(session_id) is None
    for number in ("%", "_" * 16, session.number, session.number.upper(), session.number[:15]):
        with pytest.raises(SessionNotFound):
            house.sessions.end(caller.id, number)


def test_an_account_has_so_many_sessions(house: House) -> None:
    """Beyond 1,000 those that were used longest ago end; one in use stays, and so do others'."""
    house.accounts.add("bob", "builder")
    _, bobs = house.sign_in.sign_in("bob", "builder", HERE)
    caller, used = house.sign_in.sign_in("ada", "correct", HERE)
    _, unused = house.sign_in.sign_in("ada", "correct", HERE)
    house.clock.forward(minutes=1)
    drafts = [
        house.sessions.draft(name="ada", password_length=7, account_id=caller.id)[0]
        for _ in range(SESSIONS_MAX - 2)
    ]
    with house.database.write() as connection:
        for row in drafts:
            store.insert_session(connection, row)
    assert house.sessions.caller(used) == caller
    house.clock.forward(minutes=-2)
    _, newest = house.sign_in.sign_in("ada", "correct", HERE)  # by a clock that was set back
    assert house.sessions.count(caller.id) == SESSIONS_MAX
    assert house.sessions.caller(unused) is None
    assert None not in [house.sessions.caller(each) for each in (used, newest, bobs)]


def test_last_use_is_known_to_the_minute(house: House) -> None:
    """A session's last use is noted, at most once a minute."""
    caller, session_id = house.sign_in.sign_in("ada", "correct", HERE)
    start = house.clock.now()
    for seconds, noted in ((59, 0), (1, 60), (59, 60), (1, 120)):
        house.clock.forward(seconds=seconds)
        house.sessions.caller(session_id)
        (session,) = house.sessions.list(caller.id)
        assert session.last_seen_at - start == timedelta(seconds=noted)


@pytest.mark.parametrize("session_id", ["", "x", "0" * 64, "F" * 64, "0" * 63 + "\n", "\ud800"])
def test_what_is_no_session_has_no_caller(session_id: str, house: House) -> None:
    """Whatever a browser sends as a session is one, or nobody's."""
    assert house.sessions.caller(session_id) is None
    house.sessions.revoke(session_id)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(st.text())
def test_no_text_makes_an_error(house: House, text: str) -> None:
    """No text in a cookie or as a key makes an error."""
    assert house.sessions.caller(text) is None
    assert house.keys.caller(text) is None


def _rows(house: House, table: str) -> int:
    with house.database.read() as connection:
        return connection.scalar(select(func.count()).select_from(metadata.tables[table])) or 0


def test_a_sweep_removes_what_has_aged(house: House, demo: House) -> None:
    """A sweep removes ended sessions and addresses of 30 days ago, in batches, and nothing else."""
    rows = [demo.sessions.draft(name="x", password_length=1)[0] for _ in range(BATCH + 1)]
    with house.database.write() as connection:
        for row in rows:
            store.insert_session(connection, row)
    house.sign_in.sign_in("ada", "correct", HERE)
    assert house.sessions.sweep() == 0
    house.clock.forward(hours=24)
    assert house.sessions.sweep() == BATCH + 1
    assert _rows(house, "sessions") == 1
    house.clock.forward(days=29)
    assert house.sessions.sweep() == 2
    assert _rows(house, "sessions") == _rows(house, "known_addresses") == 0
    assert house.sessions.sweep() == 0


def test_a_lock_holds_up_nobody(house: House) -> None:
    """Where another program holds the locks it is known who asks; the use is noted later."""
    caller, session_id = house.sign_in.sign_in("ada", "correct", HERE)
    key, secret = house.keys.create("ada")
    house.clock.forward(minutes=5)
    with house.database.write() as holder:
        if holder.dialect.name == "postgresql":
            holder.execute(text("LOCK TABLE sessions, keys IN EXCLUSIVE MODE"))
        began = time.monotonic()
        assert house.sessions.caller(session_id) == caller
        assert house.keys.caller(secret)
        assert time.monotonic() - began < 2
    house.sessions.caller(session_id)
    house.keys.caller(secret)
    (session,) = house.sessions.list(caller.id)
    assert session.last_seen_at == house.clock.now()
    assert [each.last_used_at for each in house.keys.list() if each.id == key.id] == [
        house.clock.now()
    ]


def test_a_guest_of_before_is_nobody_where_there_are_none(demo: House) -> None:
    """Once guests are not welcome any more, who came as one has to sign in."""
    _, guest = demo.sign_in.sign_in("somebody", "anything", "192.0.2.1")
    _, orhan = demo.sign_in.sign_in(DEMO_NAME, DEMO_PASSWORD, "192.0.2.1")
    strict = Sessions(
        *(demo.database, demo.clock, RandomIds()),
        secret=SECRET,
        hours=336,
        guest_hours=24,
        guests=False,
    )
    assert demo.sessions.caller(guest) is not None
    assert strict.caller(guest) is None
    assert strict.caller(orhan) is not None
