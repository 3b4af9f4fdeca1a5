"""Whether those who are to answer could do so on this machine."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial

from stopgap.cli.diagnosis.diagnosis import Diagnosis, fine, warning, wrong
from stopgap.cli.serving.serve import RENAMED, left_behind
from stopgap.clock import Clock
from stopgap.contracts.contract import Contract
from stopgap.contracts.loading import load_contracts
from stopgap.errors import StopgapError
from stopgap.models.artifacts import ArtifactMissing, Artifacts
from stopgap.releases.opening import check_openable
from stopgap.releases.plan import SlotKey
from stopgap.releases.release import Release
from stopgap.releases.releases import Releases
from stopgap.releases.routing import Routing
from stopgap.releases.watch import Watch
from stopgap.settings import Settings
from stopgap.storage.database import Database
from stopgap.storage.object_stores import folder_of, open_objects
from stopgap.wiring import Locations


def releases(settings: Settings, clock: Clock, database: Database) -> Iterator[Diagnosis]:
    """See whether what each release with traffic needs is here; none is loaded."""
    try:
        contracts = load_contracts(settings.contracts)
    except StopgapError:
        return  # which another look tells
    known, at = Releases(database, clock, contracts), Locations.of(settings)
    watch = Watch(database, clock, contracts)
    for contract in contracts:
        routing = known.routing(contract.name)
        workers = {each.number: each.words() for each in watch.troubles(contract.name)}
        ails = partial(_ails, contract, at, workers)
        for diagnosis in _of(contract.name, routing, ails):
            yield replace(diagnosis, what="releases")
    for name, number in known.left_behind().items():
        yield replace(warning(left_behind(name, number), RENAMED), what="releases")


def _of(name: str, routing: Routing, ails: Callable[[Release], str | None]) -> Iterator[Diagnosis]:
    option = f"--contract {name}"
    live, canary, before = routing.live, routing.canary, routing.previous
    if live.specification is None:
        yield fine(f"{name} is answered by the stand-in.")
    elif words := ails(live):
        told = f"Release {live.name} of {name} is live, and {words}"
        yield wrong(told, f"Mend that, or go back: `stopgap release rollback {option}`.")
    else:
        yield fine(f"{name} is answered by release {live.name}; what it needs is here.")
    for release in (*([canary] if canary else []), *routing.shadows):
        if words := ails(release):
            told = f"Release {release.name} of {name} is a {release.stage}, and {words}"
            withdraw = f"`stopgap release withdraw {release.number} {option}`"
            yield warning(told, f"Mend that, or take it off the traffic: {withdraw}.")
    if before and (words := ails(before)):
        told = f"Release {before.name} of {name} is to help out or be gone back to, and {words}"
        yield warning(told, "Mend that before you need it.")


def _ails(
    contract: Contract, at: Locations, workers: Mapping[int, str], release: Release
) -> str | None:
    """Tell why a release cannot answer: what is missing here, or else what workers say."""
    if reason := _obstacle(contract, release, at):
        return f"cannot be loaded here: {reason}"
    return workers.get(release.number)


def _obstacle(contract: Contract, release: Release, at: Locations) -> str | None:
    """Tell why a release could not be loaded; the stand-in needs nothing."""
    key = SlotKey.of(release)
    try:
        if key:
            check_openable(contract, key)
            if key.specification.artifact:
                _check_kept(key.specification.artifact, at)
    except StopgapError as error:
        return error.detail
    return None


def _check_kept(digest: str, at: Locations) -> None:
    """See whether a model's file is kept; a folder that is not there is not made.

    Raises:
        ModelUnloadable: it is not, or not whole.
        ObjectsUnavailable: that cannot be seen.
    """
    folder = folder_of(at.artifacts)
    if folder is not None and not folder.is_dir():
        raise ArtifactMissing(digest)
    Artifacts(open_objects(at.artifacts), at.models).check(digest)
