"""What each kind of error means to a shell: the exit code, after BSD's sysexits.h."""

import os

from stopgap.contracts.conformance.calling import ServerUnreachable
from stopgap.contracts.conformance.checking import PredictionsNotAsked
from stopgap.errors import StartRefused, StopgapError
from stopgap.problems import STATUSES

EXIT_CODES: dict[type[StopgapError], int] = {
    kind: {
        400: os.EX_DATAERR,
        401: os.EX_NOPERM,
        403: os.EX_NOPERM,
        404: os.EX_NOINPUT,
        409: os.EX_CANTCREAT,
        422: os.EX_DATAERR,
        500: os.EX_SOFTWARE,
        503: os.EX_UNAVAILABLE,
        507: os.EX_CANTCREAT,
    }.get(status, os.EX_DATAERR)
    for kind, status in STATUSES.items()
} | {
    StartRefused: os.EX_CONFIG,
    ServerUnreachable: os.EX_UNAVAILABLE,
    PredictionsNotAsked: os.EX_NOPERM,
}
"""Every kind of error -> its exit code. A kind that is not here has its nearest ancestor's."""


def exit_code_of(kind: type[StopgapError]) -> int:
    """Tell the exit code of an error kind.

    Raises:
        KeyError: nobody has said what the kind means to a shell.
    """
    return EXIT_CODES[next((base for base in kind.__mro__ if base in EXIT_CODES), kind)]
