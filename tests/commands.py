"""Running commands: in this process, or as a shell does; and seeing what they did."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from click.testing import Result

from stopgap import wiring
from stopgap.parts import Parts
from stopgap.settings import Settings

ROOT = Path(__file__).parents[1]

Run = Callable[..., Result]


@contextmanager
def opened(data: Path) -> Iterator[Parts]:
    """Open an installation beside the commands, to see what they did."""
    parts = wiring.build_parts(wiring.prepare(Settings(data=data, demo_account=False)))
    try:
        yield parts
    finally:
        parts.close()


def shell(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command as a shell does, in a process of its own."""
    program = [sys.executable, "-W", "error", "-c", "from stopgap.cli import main; main()", *words]
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("STOPGAP_")}
    return subprocess.run(
        program,
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
        cwd=ROOT,
        env=inherited | {"PYTHONPATH": "src"} | environment,
    )
