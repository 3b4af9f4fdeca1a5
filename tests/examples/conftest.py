"""The sales example, made once for the whole run."""

import pytest
from tests.examples import sales


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> sales.Made:
    """Give the example with the three files that its scripts make."""
    return sales.made(tmp_path_factory.mktemp("sales"))
