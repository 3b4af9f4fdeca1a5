"""Where the parts meet: settings in, storage opened, nouns made, the application handed out.

It imports everything; of all rooms, the command line alone imports it. Only who serves imports
`application`, too, and Flask with it.
"""

from stopgap.wiring.building import build_parts
from stopgap.wiring.installation import Installation, Locations
from stopgap.wiring.preparing import (
    check_objects,
    is_demo_open,
    keep_routings,
    left_behind,
    prepare,
    settings_of_environment,
)

__all__ = [
    "Installation",
    "Locations",
    "build_parts",
    "check_objects",
    "is_demo_open",
    "keep_routings",
    "left_behind",
    "prepare",
    "settings_of_environment",
]
