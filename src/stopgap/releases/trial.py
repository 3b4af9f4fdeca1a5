"""The trial: a model is started beside the server, to be verified or to replay what was asked."""

import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from stopgap.clock import Clock
from stopgap.contracts.contract import Contract
from stopgap.models.artifacts import Artifacts
from stopgap.models.kinds import find_kind
from stopgap.models.slot import Slot, open_slot
from stopgap.models.specification import Specification
from stopgap.releases.release import Release
from stopgap.releases.replay import Recorded, Replay, replay
from stopgap.releases.verification.observing import Progress
from stopgap.releases.verification.report import Report
from stopgap.releases.verification.verifying import SAMPLES, SECONDS, verify


class Trial:
    """Where models show what they can do, before any client sees it.

    Args:
        sources: Where each contract is imported from, by its name, as the setting says it.
        artifacts: Where models' files are.
    """

    def __init__(
        self, contracts: Mapping[str, Contract], sources: Mapping[str, str], artifacts: Artifacts
    ) -> None:
        self._contracts = contracts
        self._sources = sources
        self._artifacts = artifacts

    def keep(self, specification: Specification) -> Specification:
        """Keep the model's file, if it is one, so that what is verified is what will be served.

        Raises:
            ModelUnloadable: the file cannot be read, or nobody knows the kind of model.
            DiskFull: there is no room.
        """
        if not find_kind(specification.uri).is_file:
            return specification
        path = Path(specification.reference)
        digest = self._artifacts.put(path)
        named = f"{specification.kind}:{path.name}"
        return replace(specification, uri=named, artifact=digest)

    async def verify(
        self,
        contract: str,
        specification: Specification,
        *,
        clock: Clock,
        samples: int = SAMPLES,
        seconds: float = SECONDS,
        progress: Progress,
    ) -> Report:
        """Hold a model against its contract; its file is kept, or lies where its URI says.

        Raises:
            ModelUnloadable: it cannot be loaded.
        """
        return await verify(
            self._slot(contract, specification),
            self._contracts[contract],
            specification,
            clock=clock,
            source=random.SystemRandom(),
            samples=samples,
            seconds=seconds,
            progress=progress,
        )

    async def replay(
        self,
        release: Release,
        records: Iterable[Recorded],
        *,
        progress: Callable[[int], None],
    ) -> Replay:
        """Ask a release what others were asked; the stand-in is no model, and is asked nothing.

        Raises:
            ModelUnloadable: it cannot be loaded.
        """
        if release.specification is None:
            raise ValueError(release.name)
        return await replay(
            self._slot(release.contract, release.specification),
            self._contracts[release.contract],
            release.specification,
            records,
            number=release.number,
            progress=progress,
        )

    def _slot(self, contract: str, specification: Specification) -> Slot:
        return open_slot(
            specification,
            self._contracts[contract],
            contract_source=self._sources[contract],
            path=self._file(specification),
        )

    def _file(self, specification: Specification) -> Path | None:
        if specification.artifact is not None:
            return self._artifacts.fetch(specification.artifact)
        return Path(specification.reference) if find_kind(specification.uri).is_file else None
