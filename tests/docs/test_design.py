"""The picture of the house is the house."""

from configparser import ConfigParser

from tests.docs.markdown import ROOT, blocks


def test_floors_are_those_that_are_checked() -> None:
    """The floors in docs/design.md are the ones that import-linter holds."""
    linter = ConfigParser()
    linter.read(ROOT / ".importlinter")
    checked = linter["importlinter:contract:floors"]["layers"].strip()
    assert checked in [block.text for block in blocks(ROOT / "docs" / "design.md")]


def test_every_room_is_drawn() -> None:
    """Each package and module of the house stands in the diagram of its rooms."""
    rooms = {path.stem for path in (ROOT / "src" / "stopgap").iterdir() if path.stem[0] not in "_."}
    diagram = blocks(ROOT / "docs" / "design.md")[0].text
    assert {room for room in rooms if room not in diagram} == set()
