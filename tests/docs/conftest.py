"""What the tests of the pages share: the application that the pages tell of."""

from collections.abc import Iterator

import pytest
from flask import Flask

from stopgap.settings import read_settings
from stopgap.web.current import NAME
from stopgap.wiring.application import create_app


@pytest.fixture(scope="session")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """Build the demo, as `make run` serves it."""
    folder = tmp_path_factory.mktemp("docs") / "data"
    built = create_app(read_settings({"STOPGAP_DATA": str(folder)}))
    yield built
    built.extensions[NAME].close()
