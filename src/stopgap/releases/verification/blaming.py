"""Blaming: which row it was that a process did not survive, or whether it was their number."""

from collections.abc import Sequence
from dataclasses import dataclass

from stopgap.models.failures import ModelLate
from stopgap.releases.verification.asking import Answered, Asking


@dataclass(kw_only=True)
class Blame:
    """What came of looking for the row; nothing, where no process has ended."""

    fatal: Answered | None = None
    fatal_batch: int = 0  # inputs of the call that was fatal, if none of them is sure to be
    again: bool | None = None  # whether that call was fatal twice; None: there was no time to see
    survived: int = 1  # inputs of a call that was not

    async def find(self, asking: Asking, answered: Sequence[Answered]) -> bool:
        """Find out what was fatal about a call, by asking its rows again.

        Returns:
            Whether anything was. Not, if many were too slow together, and none of them is alone.

        Raises:
            TimeOver: there is no time left to find out which it is; that it was fatal is noted.
        """
        self.fatal, self.fatal_batch = answered[0], len(answered)
        if culprit := await self._culprit(asking, answered):
            self.fatal, self.fatal_batch = culprit, 0
        elif len(answered) == 1:
            self.again = False
        elif isinstance(answered[0].output, ModelLate):
            self.fatal, self.fatal_batch = None, 0
        else:
            again = await asking.batch([each.row for each in answered])
            self.again = again[0].fatal
        return self.fatal is not None

    async def _culprit(self, asking: Asking, answered: Sequence[Answered]) -> Answered | None:
        """Find the row among some that is fatal when it is asked once more, alone.

        Returns:
            None: none is. It is their number, or chance: something else may have ended the process.
        """
        while len(answered) > 1:
            half = [each.row for each in answered[: len(answered) // 2]]
            again = await asking.batch(half)
            if again[0].fatal:
                answered = again
            else:
                answered = answered[len(half) :]
                self.survived = max(self.survived, len(half))
        alone = await asking.alone(answered[0].row)
        return alone if alone.fatal else None
