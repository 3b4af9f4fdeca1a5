"""Where the parts meet: settings in, storage opened, nouns made, the application handed out.

It imports everything, and nothing but the command line imports it. The environment is read here,
once.
"""

from stopgap.wiring.building import build_parts
from stopgap.wiring.places import spool_folder
from stopgap.wiring.preparing import keep_routings, prepare, settings_of_environment
from stopgap.wiring.serving import build_door, create_app, door_to

__all__ = [
    "build_door",
    "build_parts",
    "create_app",
    "door_to",
    "keep_routings",
    "prepare",
    "settings_of_environment",
    "spool_folder",
]
