"""A new password: typed twice without echo, read from standard input, or made up.

Never an argument, which other users of the machine could see.
"""

import sys
from collections.abc import Callable
from typing import Any

import click

from stopgap.accounts.passwords import random_password


def password_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the ways to give a password to a command."""
    generated = click.option(
        "--generate", is_flag=True, help="Generate a strong password; shown once."
    )
    from_input = click.option(
        "--password-stdin",
        is_flag=True,
        help="Read the password from standard input: its first line.",
    )
    with_input: Callable[..., Any] = from_input(command)
    return generated(with_input)


def new_password(*, generate: bool, password_stdin: bool) -> str:
    """Get the password in the way that was asked for.

    Raises:
        click.UsageError: two ways at once, or nothing came.
    """
    if generate and password_stdin:
        raise click.UsageError("Choose --generate or --password-stdin.")
    if generate:
        return random_password()
    if not password_stdin:
        typed: str = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
        return typed
    try:
        line: str = sys.stdin.buffer.readline().decode()
    except UnicodeDecodeError as error:
        raise click.UsageError("Standard input is not UTF-8.") from error
    password = line.removesuffix("\n").removesuffix("\r")
    if not password:
        raise click.UsageError("Standard input had no password.")
    return password
