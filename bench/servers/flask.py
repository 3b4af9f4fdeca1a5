"""Stopgap's Flask application without the door: on the server's own WSGI interface.

STOPGAP_DATA=folder python -m bench.servers.flask PORT
"""

import sys
from functools import partial

from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.log import LogLevels

from stopgap import wiring
from stopgap.cli.serving.supervising import HTTP1
from stopgap.wiring.application import create_app


def main(port: str) -> None:
    """Serve until told to stop."""
    settings = wiring.settings_of_environment()
    Granian(
        "flask",
        port=int(port),
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,
        http1_settings=HTTP1,
        workers=1,
        blocking_threads=settings.threads,  # as many views at once as behind the door
        websockets=False,
        log_level=LogLevels.warning,
    ).serve(target_loader=partial(create_app, settings), wrap_loader=False)


if __name__ == "__main__":
    main(sys.argv[1])
