"""A search: what a visitor wants to see of the history, as the form's words, and as filters."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from stopgap.accounts.account import AccountNameInvalid, AccountNotFound
from stopgap.contracts.contract import Contract
from stopgap.journal.conditions import FilterInvalid, Held, answer_condition, input_condition
from stopgap.journal.filters import Condition, Filters
from stopgap.journal.terms import POSITION_END

PERIODS = {
    "1h": ("The last hour", timedelta(hours=1)),
    "24h": ("The last 24 hours", timedelta(hours=24)),
    "7d": ("The last 7 days", timedelta(days=7)),
    "30d": ("The last 30 days", timedelta(days=30)),
    "90d": ("The last 90 days", timedelta(days=90)),
    "all": ("All time", None),
}
USUAL_PERIOD = "7d"

POSITION = re.compile(r"[0-9]{1,19}")


@dataclass(frozen=True, kw_only=True)
class Search:
    """What stands in the form; empty where nothing does."""

    period: str = USUAL_PERIOD
    begin: str = ""  # a moment in UTC, in place of the period
    end: str = ""
    contract: str = ""
    release: str = ""
    account: str = ""  # an operator's to ask for
    field: str = ""  # an input's name
    value: str = ""
    part: str = ""  # the member of the answer that is meant; of an answer that has none: empty
    answer: str = ""

    @classmethod
    def of(cls, given: Mapping[str, str]) -> "Search":
        """Read it from an address; what is not asked for is as it is usually."""
        known = {name: given[name].strip() for name in cls.__dataclass_fields__ if name in given}
        found = cls(**known)
        return replace(
            found,
            period=found.period if found.period in PERIODS else USUAL_PERIOD,
            field=found.field if found.value else "",  # a list always has something chosen
        )

    def query(self, **more: object) -> str:
        """Write it as an address' query, without what is as it is usually."""
        usual = Search()
        told = {
            name: value
            for name in self.__dataclass_fields__
            if (value := getattr(self, name)) != getattr(usual, name)
        }
        return urlencode(told | more)

    @property
    def narrows(self) -> bool:
        """Whether it leaves out answers for another reason than their time."""
        return replace(self, period=USUAL_PERIOD, begin="", end="") != Search()


@dataclass(frozen=True, kw_only=True)
class Found:
    """A search's filters, and what cannot be read in it."""

    filters: Filters
    errors: Mapping[str, str]  # form field -> what is wrong


def understand(
    search: Search,
    *,
    contracts: Sequence[Contract],
    caller: str | None,
    account_id: Callable[[str], str],
    holds: Callable[[Filters], bool],
    now: datetime,
) -> Found:
    """Make filters of a search; what cannot be read is told, and left out.

    Args:
        search: What was asked for.
        contracts: Those that are served, which know how values are written.
        caller: Whose answers may be seen; None: everybody's.
        account_id: Tells an account's id by its name, for who may see everybody's answers.
        holds: Tells whether an answer meets filters.
        now: Periods end here; they begin at a whole minute, so that charts can be remembered.
    """
    errors: dict[str, str] = {}
    served = [each for each in contracts if search.contract in {"", each.name}]
    visible = Filters(contract=search.contract or None, caller=caller)

    def held(condition: Condition) -> bool:
        return holds(replace(visible, conditions=(condition,)))

    conditions = (
        _condition(input_condition, "value", (served, search.field, search.value, held), errors),
        _condition(answer_condition, "answer", (served, search.part, search.answer, held), errors),
    )
    if search.account and caller is None:
        try:
            caller = account_id(search.account)
        except (AccountNotFound, AccountNameInvalid) as error:
            errors["account"] = error.detail
    since, until = _times(search, now, errors)
    filters = Filters(
        since=since,
        until=until,
        contract=search.contract or None,
        release=search.release or None,
        caller=caller,
        conditions=tuple(each for each in conditions if each is not None),
    )
    return Found(filters=filters, errors=errors)


Read = Callable[[Sequence[Contract], str, str, Held], Condition]


def _condition(
    read: Read, name: str, asked: tuple[Sequence[Contract], str, str, Held], errors: dict[str, str]
) -> Condition | None:
    contracts, field, text, held = asked
    if not text:
        return None
    try:
        return read(contracts, field, text, held)
    except FilterInvalid as error:
        errors[name] = error.detail
        return None


def _times(
    search: Search, now: datetime, errors: dict[str, str]
) -> tuple[datetime | None, datetime | None]:
    if search.begin or search.end:
        begin, end = (_moment(name, getattr(search, name), errors) for name in ("begin", "end"))
        return begin, end
    _, length = PERIODS[search.period]
    return None if length is None else _whole_minute(now - length), None


def _moment(name: str, text: str, errors: dict[str, str]) -> datetime | None:
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        errors[name] = "This is no moment like 2026-07-01T12:30."
        return None


def _whole_minute(moment: datetime) -> datetime:
    return moment.replace(second=0, microsecond=0)


def position(text: str) -> int | None:
    """Read where a page begins; what is no position begins at the newest."""
    found = int(text) if POSITION.fullmatch(text) else 0
    return found if 0 < found < POSITION_END else None
