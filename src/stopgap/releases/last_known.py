"""The last known routing, on this machine's own disk, for starts while the database is away."""

import json
import logging
from collections.abc import Mapping
from pathlib import Path

from stopgap.errors import StopgapError
from stopgap.releases.routing import Routing
from stopgap.storage.files import write_whole

FORMAT = 1
"""Of the file; one of another format is taken for none."""

logger = logging.getLogger(__name__)


class LastKnown:
    """A file that a server's workers write, whenever one learns something new; whole or not at all.

    Of two who write at once the later wins, who may be the one that knows less. It learns more
    within half a second, and writes again.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> Mapping[str, Routing]:
        """Tell each contract's routing, by its name; none where nothing is known."""
        try:
            document = json.loads(self._path.read_bytes())
            if document["format"] != FORMAT:
                return {}
            found = map(Routing.of, document["routings"])
            return {routing.contract: routing for routing in found}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, KeyError, TypeError, AttributeError, StopgapError):
            logger.exception("the last known releases cannot be read")
            return {}

    def write(self, routings: Mapping[str, Routing]) -> None:
        """Keep what is known; a disk that does not take it is told of in the log alone."""
        document = {
            "format": FORMAT,
            "routings": [routing.document() for routing in routings.values()],
        }
        try:
            write_whole(self._path, [json.dumps(document).encode()])
        except OSError as error:
            logger.warning("the releases cannot be kept for later starts: %s", error)
