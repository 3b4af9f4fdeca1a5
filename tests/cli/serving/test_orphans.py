"""Orphans: what dead models have left is ended and buried, and nothing else is touched."""

import json
import subprocess
import sys
from pathlib import Path

SCRIPT = """
import json, os, signal, subprocess, sys, time
from pathlib import Path
from stopgap.cli.serving.orphans import LOOK_SECONDS, Orphans

MODEL = (
    "import subprocess, sys\\n"
    "own = sys.argv[1] == 'session'\\n"
    "to = subprocess.DEVNULL\\n"
    "print(subprocess.Popen(['sleep', '60'], start_new_session=own, stdout=to, stderr=to).pid)\\n"
)

def left_by_a_model(how):
    command = [sys.executable, "-c", MODEL, how]
    return int(subprocess.run(command, process_group=0, stdout=subprocess.PIPE).stdout)

def there(process):
    return Path(f"/proc/{process}").exists()

orphans = Orphans()
orphans.start()
ours = [subprocess.Popen(["sleep", "60"], process_group=group) for group in (None, 0)]
left, daemon = left_by_a_model("nothing"), left_by_a_model("session")
time.sleep(3 * LOOK_SECONDS)
told = {"left": there(left), "daemon": there(daemon), "ours": [each.poll() for each in ours]}
os.kill(daemon, signal.SIGKILL)
time.sleep(2 * LOOK_SECONDS)
told["unburied"] = there(daemon)
for each in ours:
    each.kill()
last = left_by_a_model("nothing")
orphans.stop()
told["last"] = there(last)
print(json.dumps(told))
"""


def test_who_is_ended() -> None:
    """A dead model's group is ended; children of ours, and sessions of their own, go on."""
    source = str(Path(__file__).parents[3] / "src")
    run = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env={"PYTHONPATH": source, "PATH": "/usr/bin:/bin"},
        stdout=subprocess.PIPE,
        check=True,
        timeout=60,
    )
    assert json.loads(run.stdout) == {
        "left": False,
        "daemon": True,
        "ours": [None, None],
        "unburied": False,
        "last": False,
    }
