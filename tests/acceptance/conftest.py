"""Real servers on real ports, each started once for all tests of a module."""

from collections.abc import Iterator

import pytest
from tests.acceptance.client import Client
from tests.acceptance.server import SECRET, Server, running


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Run a server with no configuration, as MadCompany first sees it."""
    with running(tmp_path_factory.mktemp("demo")) as server:
        yield server


@pytest.fixture(scope="module")
def production(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Run a server without guests, with a secret and a database of its own."""
    folder = tmp_path_factory.mktemp("production")
    database = f"sqlite:///{folder / 'production.db'}"
    settings = {"STOPGAP_PROFILE": "production", "STOPGAP_SECRET": SECRET}
    with running(folder, settings | {"DATABASE_URL": database}) as server:
        yield server


@pytest.fixture
def client(demo: Server) -> Client:
    """Make a program that nobody has signed in yet."""
    return demo.client()
