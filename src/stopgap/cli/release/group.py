"""`stopgap release ...`: which model answers whom."""

import logging

import click

from stopgap.cli.release import handing_in, looking, moving
from stopgap.cli.release.replay import replay


@click.group()
def release() -> None:
    """Verify models, and decide which of them answers the clients.

    A release is one model on one contract, with a number. It is added as a candidate; as a shadow
    it gets copies of the traffic, as a canary a share of it, and as the live release all of it.

    \b
    Examples:
      stopgap release add python:shop/model.py:model
      stopgap release promote 1 --percent 10
      stopgap release promote 1
      stopgap release rollback
    """
    logging.getLogger("stopgap").addHandler(logging.NullHandler())  # what is wrong is reported


for command in (
    looking.list_releases,
    looking.show,
    looking.history,
    handing_in.verify,
    handing_in.add,
    replay,
    moving.promote,
    moving.rollback,
    moving.withdraw,
    moving.retire,
    moving.override,
    moving.fallback,
):
    release.add_command(command)
