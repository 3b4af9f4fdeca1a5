"""The service of systemd: it starts the server as it is, and lets it end in its own order."""

from configparser import ConfigParser

from tests.commands import ROOT
from tests.ground.test_kubernetes import STOP_SECONDS


def service() -> dict[str, str]:
    """Read what the unit says of its service, its names in small letters."""
    parser = ConfigParser(interpolation=None)
    parser.read(ROOT / "deploy" / "stopgap.service", encoding="utf-8")
    return dict(parser["Service"])


def test_it_runs_what_there_is() -> None:
    """What is started is the server, by the Python that the set-up makes."""
    python, program = service()["execstart"].split()
    assert python == f"{service()['workingdirectory']}/.venv/bin/python"
    assert (ROOT / program).is_file()


def test_a_stop_has_its_time() -> None:
    """The server alone is told to end, and has longer than it ever takes."""
    assert service()["killmode"] == "mixed"
    assert int(service()["timeoutstopsec"]) > STOP_SECONDS


def test_it_can_write_where_its_data_are() -> None:
    """All is read-only but the folder in which it is started: there it keeps its data."""
    assert service()["protectsystem"] == "strict"
    assert service()["readwritepaths"] == service()["workingdirectory"]
    assert service()["privatetmp"] == "true"  # where large bodies wait
