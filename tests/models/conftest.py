"""Fixtures for models: one trained pipeline in each of its forms, and a gate for who waits."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.models.trained import Trained, train


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """Train a pipeline once."""
    return train(tmp_path_factory.mktemp("trained"))


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Path]:
    """Name a file for which a model waits; at the end it is there, so that its thread may end."""
    path = tmp_path / "open"
    yield path
    path.touch()
