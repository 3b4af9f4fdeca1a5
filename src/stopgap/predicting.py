"""The one way that every prediction takes: validated inputs in, a guarded answer out."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from stopgap.contracts.contract import Contract
from stopgap.contracts.values import breach
from stopgap.errors import StopgapError
from stopgap.models.model import Model

STAND_IN = "stand-in"
"""How release 0 is called wherever a client can see it: nobody is told that it is a model."""


class PredictionFailed(StopgapError):
    """The model gave no answer that keeps the contract, so there is none to give."""

    retry_after = 1.0


@dataclass(frozen=True, kw_only=True)
class Release:
    """The model that answers one contract."""

    contract: Contract
    name: str  # as clients see it: `stand-in`, or the release's number
    model: Model


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """An answer that keeps its contract."""

    output: Any
    release: str

    @property
    def body(self) -> bytes:
        """The answer as compact JSON: `3141`."""
        return json.dumps(self.output, separators=(",", ":"), ensure_ascii=False).encode()


class Predicting:
    """Predicts for every contract that is served."""

    def __init__(self, releases: Sequence[Release]) -> None:
        self._releases = {release.contract.name: release for release in releases}

    def predict(self, contract: Contract, inputs: BaseModel) -> Prediction:
        """Answer one request.

        Args:
            contract: One of those that are served.
            inputs: Validated; an instance of `contract.inputs`.

        Raises:
            PredictionFailed: the model's answer does not keep the contract.
        """
        release = self._releases[contract.name]
        (output,) = release.model.predict([inputs])
        if broken := breach(contract.output_kind, output):
            raise PredictionFailed(f"Release {release.name} gave no valid answer: it {broken}.")
        return Prediction(output=output, release=release.name)
