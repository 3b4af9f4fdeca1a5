"""What commands about releases have in common: of which contract, which release, who, and why."""

import getpass

import click

from stopgap.parts import Parts
from stopgap.releases.release import ContractNotServed, Release, ReleaseNotFound

contract_option = click.option(
    "--contract", "chosen", metavar="NAME", help="Of which contract, where several are served."
)
reason_option = click.option("--reason", default="", help="Why; kept with what was done.")
yes_option = click.option("--yes", is_flag=True, help="Do not ask whether that is what you want.")

NUMBER_MAX = 999_999_999
"""Up to it every database can look for a release's number."""

any_number = click.IntRange(0, NUMBER_MAX)
real_number = click.IntRange(1, NUMBER_MAX)
"""Of a release that has a model, as the stand-in has none."""


def me() -> str:
    """Tell who does this: the user of this machine."""
    try:
        return f"{getpass.getuser()} at the command line"
    except (KeyError, OSError):
        return "the command line"


def contract_of(parts: Parts, chosen: str | None) -> str:
    """Tell which contract is meant: the one that is named, or the only one.

    Raises:
        ContractNotServed: none has this name.
    """
    names = [each.name for each in parts.contracts]
    if chosen is None and len(names) > 1:
        known = ", ".join(names)
        raise click.UsageError(f"Several contracts are served; say --contract, one of {known}.")
    if chosen is not None and chosen not in names:
        raise ContractNotServed(chosen, names)
    return names[0] if chosen is None else chosen


def real_release(parts: Parts, contract: str, number: int) -> Release:
    """Find a release that has a model, as the stand-in has none.

    Raises:
        ReleaseNotFound: there is none of this number.
    """
    found = parts.releases.show(contract, number)
    if found.specification is None:
        raise ReleaseNotFound(contract, number)
    return found
