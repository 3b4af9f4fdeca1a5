"""MadCompany's prediction API: `python ML_server.py` does what `stopgap serve` does.

It finds `src` beside itself, so it needs the libraries of `requirements.txt` and nothing installed
of Stopgap. `flask --app ML_server routes` works too.
"""

import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

SOURCE = Path(__file__).resolve().parent / "src"


def create_app() -> "Flask":
    """Build the Flask application, as Flask's own command line asks for it."""
    _find_source()
    from stopgap.wiring.application import create_app as build  # noqa: PLC0415  # found only now

    return build()


def main() -> None:
    """Serve, with the options of `stopgap serve`."""
    # A container's first process gets no signal that it does not handle: not until it serves.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    # A reload has nothing to do yet; by itself, the signal would end the process.
    signal.signal(signal.SIGHUP, lambda *_: None)
    _find_source()
    try:
        from stopgap.cli import main as stopgap  # noqa: PLC0415  # may be missing

        _ = stopgap.commands["serve"]  # which imports all that it needs
    except (ImportError, SyntaxError) as error:
        sys.exit(
            f"ML_server.py cannot run with {sys.executable} ({error}). "
            f"`make run` in {SOURCE.parent} sets up a Python that can, and starts the server."
        )
    stopgap(["serve", *sys.argv[1:]], prog_name="stopgap")


def _find_source() -> None:
    if str(SOURCE) not in sys.path:
        sys.path.insert(0, str(SOURCE))


if __name__ == "__main__":
    main()
