"""What can go wrong with a model: it cannot be loaded, or it gives no answer."""

from stopgap.errors import StopgapError


class ModelUnloadable(StopgapError):
    """The model cannot be loaded: something is missing, of another format, or refused.

    Told to operators, in full.
    """


class ModelFailed(StopgapError):
    """The model gave no answer.

    Clients are told no more than the kind. What a model says of its failure may hold anything, so
    that is for operators: `reason`.
    """

    retry_after = 1.0
    told = "The model gave no answer."

    def __init__(self, reason: str) -> None:
        super().__init__(self.told)
        self.reason = reason


class ModelRaised(ModelFailed):
    """The model raised an error over these inputs, or answered too few rows or no plain value."""

    told = "The model could not answer these inputs."


class ModelLate(ModelFailed):
    """The model gave no answer by its deadline."""

    told = "The model did not answer in time."


class ModelDied(ModelFailed):
    """The model's process ended over its answer: a crash, an exit, or too much memory."""

    told = "The model stopped while it was answering."


class ModelUnavailable(ModelFailed):
    """The model cannot be loaded, is starting again after a failure, or was stopped; ask later."""

    told = "The model is not ready now."

    def __init__(self, reason: str, retry_after: float) -> None:
        super().__init__(reason)
        self.retry_after = max(0.0, retry_after)
