"""`stopgap key ...`: API keys, with which programs sign in as an account."""

import click

from stopgap.cli.installation import opened
from stopgap.cli.lines import json_option, print_rows


@click.group()
def key() -> None:
    """Make, list and revoke API keys.

    \b
    Examples:
      stopgap key create ann --label nightly
      curl -H "Authorization: Bearer $KEY" http://127.0.0.1:5000/images
    """


@key.command()
@click.argument("name")
@click.option("--label", default="", help="What the key is for, in your own words.")
def create(name: str, label: str) -> None:
    """Make an API key for the account NAME. It is shown only once.

    \b
    Examples:
      stopgap key create ann
      KEY=$(stopgap key create ann --label nightly)
    """
    with opened() as parts:
        made, secret = parts.keys.create(name, label)
    click.echo(
        f"The key {made.id} of {made.account_name}; keep it, it is not shown again:", err=True
    )
    click.echo(secret)


@key.command("list")
@click.argument("name", required=False)
@json_option
def list_keys(name: str | None, *, as_json: bool) -> None:
    """List API keys: all, or those of the account NAME.

    \b
    Examples:
      stopgap key list
      stopgap key list ann --json
    """
    with opened() as parts:
        rows = [
            {
                "id": each.id,
                "account": each.account_name,
                "label": each.label,
                "created_at": each.created_at.isoformat(timespec="seconds"),
                "last_used_at": each.last_used_at
                and each.last_used_at.isoformat(timespec="seconds"),
            }
            for each in parts.keys.list(name)
        ]
    print_rows(rows, as_json=as_json, nothing="There are no API keys.")


@key.command()
@click.argument("key_id", metavar="ID")
def revoke(key_id: str) -> None:
    """Revoke the API key ID for good; `stopgap key list` shows the ids.

    \b
    Example:
      stopgap key revoke 0123456789abcdef
    """
    with opened() as parts:
        parts.keys.revoke(key_id)
    click.echo(f"Revoked {key_id}.")
