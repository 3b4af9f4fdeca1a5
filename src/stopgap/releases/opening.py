"""Opening: a release's model is fetched, started and warmed up, or seen to be missing."""

import asyncio
import logging
from collections.abc import Mapping

from stopgap.contracts.contract import Contract
from stopgap.models.artifacts import Artifacts
from stopgap.models.failures import ModelUnloadable
from stopgap.models.presence import check_present
from stopgap.models.slot import Slot, open_slot
from stopgap.releases.plan import SlotKey
from stopgap.releases.release import name_of

logger = logging.getLogger(__name__)


class Opener:
    """Opens slots.

    Args:
        sources: Where each contract is found, by its name, as the setting says it: a process of its
            own has to find it there, too.
        artifacts: Where models' files are.
    """

    def __init__(self, sources: Mapping[str, str], artifacts: Artifacts) -> None:
        self._sources = sources
        self._artifacts = artifacts

    async def __call__(self, contract: Contract, key: SlotKey) -> Slot:
        """Load what a key is for; return it started and warm.

        Raises:
            ModelUnloadable: it cannot be loaded, or has not passed for what is served.
        """
        _check_passed(contract, key)
        specification = key.specification
        path = None
        if specification.artifact is not None:
            path = await asyncio.to_thread(self._artifacts.fetch, specification.artifact)
        slot = open_slot(
            specification,
            contract,
            contract_source=self._sources[contract.name],
            path=path,
            background=key.background,
        )
        try:
            loaded = await slot.start()
        except BaseException:  # cancelled, perhaps: it is wanted no more
            await slot.stop()
            raise
        told = {"contract": contract.name, "release": name_of(key.number)}
        logger.info("a model is ready", extra=told | {"seconds": round(loaded.seconds, 3)})
        return slot


def check_openable(contract: Contract, key: SlotKey) -> None:
    """See whether a model could be opened here, but for its file, which the artifacts have.

    Nothing of the model is run, so it may still turn out that it cannot be.

    Raises:
        ModelUnloadable: something is missing, or it has not passed for what is served.
    """
    _check_passed(contract, key)
    check_present(key.specification)


def _check_passed(contract: Contract, key: SlotKey) -> None:
    if key.fingerprint != contract.fingerprint:
        raise ModelUnloadable(
            f"Release {name_of(key.number)} has not passed verification for {contract.name} as it "
            f"is served: `stopgap release verify {key.number} --contract {contract.name}`."
        )
