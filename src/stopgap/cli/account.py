"""`stopgap account ...`: who may sign in."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import click

from stopgap import wiring
from stopgap.accounts.account import Account, fold_name
from stopgap.accounts.accounts import DEMO_NAME
from stopgap.accounts.permissions import Role
from stopgap.cli.installation import opened, opened_to_look_back
from stopgap.cli.lines import document_output, json_option, print_rows
from stopgap.cli.new_password import new_password, password_options
from stopgap.journal.entry import Entry
from stopgap.journal.filters import Filters

EXPORT_SECONDS = 60.0
"""Of waiting for answers that are not in the journal yet: an export is to be complete."""


@click.group()
def account() -> None:
    """Add, list, change and delete accounts.

    \b
    Examples:
      stopgap account add ann
      stopgap account add bob --operator --generate
      stopgap account list --json
    """


@account.command()
@click.argument("name")
@click.option(
    "--operator", is_flag=True, help="One who sees everything and changes what is served."
)
@password_options
def add(name: str, *, operator: bool, generate: bool, password_stdin: bool) -> None:
    """Add the account NAME; its password is asked for twice.

    \b
    Examples:
      stopgap account add ann
      stopgap account add bob --operator --generate
      pass show stopgap/ann | stopgap account add ann --password-stdin
    """
    with opened() as parts:
        password = new_password(generate=generate, password_stdin=password_stdin)
        added = parts.accounts.add(name, password, Role.OPERATOR if operator else Role.CLIENT)
    click.echo(f"Added {added.name} ({added.role}).", err=generate)
    if generate:
        click.echo(password)


@account.command("list")
@json_option
def list_accounts(*, as_json: bool) -> None:
    """List all accounts.

    \b
    Examples:
      stopgap account list
      stopgap account list --json
    """
    with opened() as parts:
        rows = [_row(each) for each in parts.accounts.list()]
    print_rows(rows, as_json=as_json, nothing="There are no accounts.")


def _row(account: Account) -> dict[str, Any]:
    return {
        "name": account.name,
        "role": str(account.role),
        "disabled": account.disabled,
        "created_at": account.created_at.isoformat(timespec="seconds"),
    }


@account.command()
@click.argument("name")
@password_options
def password(name: str, *, generate: bool, password_stdin: bool) -> None:
    """Change the password of NAME, and end all its sessions.

    The published password of the demo's account takes the API keys with it: anybody may have made
    them. Others keep theirs.

    \b
    Examples:
      stopgap account password ann
      stopgap account password ann --generate
    """
    with opened() as parts:
        parts.accounts.get(name)  # before anybody types a password
        chosen = new_password(generate=generate, password_stdin=password_stdin)
        keys_ended = parts.accounts.set_password(name, chosen)
    ended = "sessions and API keys" if keys_ended else "sessions"
    click.echo(f"Changed the password of {name}; its {ended} have ended.", err=generate)
    if generate:
        click.echo(chosen)


@account.command()
@click.argument("name")
def disable(name: str) -> None:
    """Disable the account NAME: its sessions end, its API keys are refused.

    \b
    Example:
      stopgap account disable ann
    """
    with opened() as parts:
        parts.accounts.disable(name)
    click.echo(f"Disabled {name}.")


@account.command()
@click.argument("name")
def enable(name: str) -> None:
    """Enable the account NAME again.

    \b
    Example:
      stopgap account enable ann
    """
    with opened() as parts:
        parts.accounts.enable(name)
    click.echo(f"Enabled {name}.")


@account.command()
@click.argument("name")
@click.confirmation_option(prompt="Delete the account with its API keys and images?")
def delete(name: str) -> None:
    """Delete the account NAME with its sessions, API keys and images.

    The answers that it was given stay in the journal, but no longer say to whom; nor will those
    that are still on their way there.

    \b
    Examples:
      stopgap account delete ann
      stopgap account delete ann --yes
    """
    if fold_name(name) == DEMO_NAME and wiring.settings_of_environment().demo_account:
        raise click.BadParameter(
            f"The next start of the demo would make {DEMO_NAME} anew: disable it, or set "
            "STOPGAP_DEMO_ACCOUNT=false.",
            param_hint="NAME",
        )
    with opened() as parts:
        images, answers = parts.delete_account(name)
    click.echo(
        f"Deleted {name} and its images ({images}); its answers ({answers}) are nobody's now."
    )


@account.command()
@click.argument("name")
def export(name: str) -> None:
    """Print all that is kept of the account NAME, as one JSON object.

    Secrets are not in it: no password hash, session id or API key. Of an address that it signed in
    from, only a digest is kept, and when that was. What it did to releases is in their history:
    stopgap release history.

    \b
    Examples:
      stopgap account export ann > ann.json
    """
    with opened_to_look_back(EXPORT_SECONDS) as parts:
        found = parts.accounts.get(name)
        kept = {
            "account": asdict(found),
            "sessions": [asdict(each) for each in parts.sessions.list(found.id)],
            "addresses": [{"seen_at": each} for each in parts.sessions.addresses(found.id)],
            "keys": [asdict(each) for each in parts.keys.list(name)],
            "images": [asdict(each) for each in parts.images.list(found.id)],
        }
        document_output().writelines(
            _document(kept, parts.journal.export(Filters(caller=found.id)))
        )


def _document(kept: dict[str, Any], answers: Iterator[Entry]) -> Iterator[str]:
    """Write one object of what is kept and the answers, of which there may be millions."""
    yield _json(kept).removesuffix("\n}") + ',\n  "answers": ['
    before, end = "\n    ", "]\n}\n"
    for each in answers:
        yield before + _json(each.facts()).replace("\n", "\n    ")
        before, end = ",\n    ", "\n  ]\n}\n"
    yield end


def _json(value: object) -> str:
    return json.dumps(value, indent=2, default=_written, ensure_ascii=False)


def _written(value: Any) -> str:
    """Write a moment."""
    text: str = value.isoformat()
    return text
