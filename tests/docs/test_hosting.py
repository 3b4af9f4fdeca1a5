"""The page of where it runs: an image of one's own has what it needs."""

import re
import tomllib

from tests.docs.markdown import ROOT, blocks

PAGE = ROOT / "docs" / "hosting.md"


def test_libraries_of_models_are_those_that_are_tested() -> None:
    """The page's image has versions that our extras ask for, and so our pins are made for."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"][
        "optional-dependencies"
    ]
    [image] = [block.text for block in blocks(PAGE) if block.language == "dockerfile"]
    named = re.findall(r"'([^']+)'", image)
    assert sorted(named) == sorted(extras["onnx"])
