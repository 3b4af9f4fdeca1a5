"""Open files: how many the system lets the server have, each connection being one."""

import resource
from contextlib import suppress

LOW = 4096
"""Below so many, idle connections may keep all others out of a worker."""

MACOS_MAX = 10_240
"""Its OPEN_MAX: more are refused, though the limit says that there is none."""


def allow_open_files() -> None:
    """Raise this process's limit, and so its workers', to what the system lets it have.

    Shells commonly hand over 1,024, for the sake of programs that use `select`. A worker that has
    reached its limit accepts no connection any more.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for wanted in (hard, MACOS_MAX):
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            return


def allowed_open_files() -> int:
    """Tell how many files each process of the server could have open."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    return MACOS_MAX if hard == resource.RLIM_INFINITY else hard
