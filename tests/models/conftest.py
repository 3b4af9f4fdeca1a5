"""Fixtures for models: one trained pipeline, in each of its forms."""

import pytest
from tests.models.trained import Trained, train


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """Train a pipeline once."""
    return train(tmp_path_factory.mktemp("trained"))
