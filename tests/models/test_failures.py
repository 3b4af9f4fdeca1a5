"""A failure has two readers: clients learn its kind, operators its reason."""

import pytest

from stopgap.models.failures import (
    ModelDied,
    ModelFailed,
    ModelLate,
    ModelRaised,
    ModelUnavailable,
)


@pytest.mark.parametrize("kind", [ModelFailed, ModelRaised, ModelLate, ModelDied])
def test_clients_are_told_nothing_that_the_model_said(kind: type[ModelFailed]) -> None:
    """What a model says over its failure reaches operators only."""
    failure = kind("ValueError: password=hunter2")
    assert failure.reason == "ValueError: password=hunter2"
    assert "hunter2" not in failure.detail
    assert "hunter2" not in str(failure)


def test_says_when_to_ask_again() -> None:
    """A model that starts again says when it may be there."""
    assert ModelUnavailable("starting", 2.5).retry_after == 2.5
    assert ModelUnavailable("starting", -1).retry_after == 0
