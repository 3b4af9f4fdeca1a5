"""The options that choose answers of the journal, and what they mean."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import click

from stopgap.clock import SystemClock
from stopgap.contracts.contract import Contract
from stopgap.journal.conditions import FilterInvalid, Held, answer_condition, input_condition
from stopgap.journal.filters import Condition, Filters
from stopgap.parts import Parts
from stopgap.releases.release import STAND_IN

AGO = re.compile(r"([0-9]{1,6})([mhd])")
UNITS = {"m": "minutes", "h": "hours", "d": "days"}

Command = TypeVar("Command", bound=Callable[..., Any])


class Moment(click.ParamType[datetime]):
    """A moment: `2026-07-01`, `2026-07-01T12:30`, or so long ago: `90m`, `36h`, `7d`."""

    name = "when"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        """Read a moment; without a time zone it is UTC."""
        if isinstance(value, datetime):
            return value
        try:
            if ago := AGO.fullmatch(value):
                return SystemClock().now() - timedelta(**{UNITS[ago[2]]: int(ago[1])})
            moment = datetime.fromisoformat(value)
        except (ValueError, OverflowError):  # so many days ago there was no year 1 yet
            self.fail(f"{value!r} is no moment like 2026-07-01T12:30, nor like 7d.", param, ctx)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What was asked for, in the words of the command line."""

    since: datetime | None
    until: datetime | None
    contract: str | None
    release: str | None
    account: str | None = None
    caller: str | None = None
    inputs: Sequence[str] = ()
    answers: Sequence[str] = ()

    def filters(self, parts: Parts) -> Filters:
        """Say it to the journal."""
        if self.since and self.until and self.since >= self.until:
            raise click.BadParameter("It is not after --since.", param_hint="--until")
        served = [each for each in parts.contracts if self.contract in {None, each.name}]
        if not served and not parts.journal.fields(self.contract):
            names = ", ".join(each.name for each in parts.contracts)
            raise click.BadParameter(
                f"No contract is called {self.contract}; there are {names}.",
                param_hint="--contract",
            )
        account = None if self.account is None else parts.accounts.get(self.account)
        return Filters(
            since=self.since,
            until=self.until,
            contract=self.contract,
            release=self._release(parts),
            caller=self.caller if account is None else account.id,
            conditions=(
                *(self._input(parts, served, text) for text in self.inputs),
                *(self._answer(parts, served, text) for text in self.answers),
            ),
        )

    def _release(self, parts: Parts) -> str | None:
        if self.release is None:
            return None
        asked = STAND_IN if self.release == "0" else self.release
        known = {STAND_IN, *(name for _, name in parts.journal.releases())}
        known |= {str(r.number) for each in parts.contracts for r in parts.releases.list(each.name)}
        if asked not in known:
            raise click.BadParameter(
                f"There is no release {asked}; `stopgap release list` tells which there are.",
                param_hint="--release",
            )
        return asked

    def _input(self, parts: Parts, contracts: Sequence[Contract], text: str) -> Condition:
        name, equals, value = text.partition("=")
        if not equals:
            raise click.BadParameter(f"{text!r} is not FIELD=VALUE.", param_hint="--where")
        try:
            found = input_condition(contracts, name, value, self._held(parts))
        except FilterInvalid as error:
            raise click.BadParameter(error.detail, param_hint="--where") from error
        known = self._known("input", parts)
        if found.name not in known:
            names = ", ".join(known)
            raise click.BadParameter(
                f"No contract has an input {name}; there are {names}.", param_hint="--where"
            )
        return found

    def _answer(self, parts: Parts, contracts: Sequence[Contract], text: str) -> Condition:
        name, equals, value = text.partition("=")
        asked = (name, value) if equals else ("", text)
        try:
            found = answer_condition(contracts, *asked, self._held(parts))
        except FilterInvalid as error:
            raise click.BadParameter(error.detail, param_hint="--answer") from error
        known = self._known("output", parts)
        if found.name not in known:
            names = ", ".join(filter(None, known))
            told = f"there are {names}" if names else "answers have none"
            raise click.BadParameter(
                (
                    f"No answer has a member {found.name}; {told}."
                    if found.name
                    else f"Answers have members here: say of which, MEMBER=VALUE; {told}."
                ),
                param_hint="--answer",
            )
        return found

    def _held(self, parts: Parts) -> Held:
        holds, contract = parts.journal.holds, self.contract
        return lambda condition: holds(Filters(contract=contract, conditions=(condition,)))

    def _known(self, part: str, parts: Parts) -> Sequence[str]:
        """Name what can be asked for."""
        known = parts.journal.known_fields(parts.contracts, self.contract)
        return [name for of, name in known if of == part]


def time_options(command: Command) -> Command:
    """Let a command be asked about a time, a contract and a release."""
    for option in (
        click.option("--release", metavar="NAME", help="Only a release's: `stand-in`, or `7`."),
        click.option("--contract", metavar="NAME", help="Only a contract's."),
        click.option("--until", type=Moment(), help="Only from before a moment."),
        click.option(
            "--since", type=Moment(), help="Only from a moment on: 2026-07-01T12:30 (UTC), or 7d."
        ),
    ):
        command = option(command)
    return command


def filter_options(command: Command) -> Command:
    """Let a command be asked for answers by whatever they hold."""
    for option in (
        click.option(
            "--answer",
            "answers",
            multiple=True,
            metavar="VALUE",
            help="Only answers of a value or a range: 3000..3500, or of a member: days=2..5.",
        ),
        click.option(
            "--where",
            "inputs",
            multiple=True,
            metavar="FIELD=VALUE",
            help="Only of an input or a range of it: month=may, count=10..20; may be repeated.",
        ),
        click.option("--caller", metavar="ID", help="Only an account's or guest's, by its id."),
        click.option("--account", metavar="NAME", help="Only an account's, by its name."),
    ):
        command = option(command)
    return time_options(command)
