"""The soak's command line."""

import pytest
from soak.run import PARTS, main


def test_a_part_that_there_is_not(capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever mistypes a part is told which there are, before any of them is run."""
    with pytest.raises(SystemExit):
        main(["steady", "kils"])
    said = capsys.readouterr()
    assert f"there is no kils; there are {', '.join(PARTS)}" in said.err
    assert not said.out
