"""Open files: as many as the system lets the server have."""

import subprocess
import sys

from tests.commands import ROOT

ALLOW = """
import resource
from stopgap.cli.serving.open_files import allow_open_files, allowed_open_files
allow_open_files()
print(*resource.getrlimit(resource.RLIMIT_NOFILE), allowed_open_files())
"""


def under(limits: str, *words: str) -> str:
    """Run a program under limits that a shell sets; tell what it says."""
    told = subprocess.run(
        ["/bin/sh", "-c", f'{limits}; exec "$@"', "sh", sys.executable, *words],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
        cwd=ROOT,
        env={"PYTHONPATH": "src", "STOPGAP_DATA": "/nonexistent/stopgap"},
    )
    return told.stdout


def test_the_limit_is_raised() -> None:
    """What the shell hands over becomes what it could have, and no more."""
    limits = "ulimit -Sn 100; ulimit -Hn 900"
    assert under(limits, "-c", ALLOW).split() == ["900", "900", "900"]


def test_doctor_tells_of_a_low_limit() -> None:
    """A limit that idle connections soon use up is a warning."""
    doctor = "from stopgap.cli import main; main()"
    assert "! warning open files: " in under("ulimit -n 4000", "-c", doctor, "doctor")
