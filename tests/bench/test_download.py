"""What a download costs is told only of downloads that came to their end."""

import pytest
from bench.download import measure_memory
from bench.serving import free_ports


def test_a_download_that_fails(capsys: pytest.CaptureFixture[str]) -> None:
    """Where curl fails, there are no figures."""
    with pytest.raises(SystemExit, match="curl's exit code is 7"):
        measure_memory(free_ports(1)[0], "")
    assert not capsys.readouterr().out
