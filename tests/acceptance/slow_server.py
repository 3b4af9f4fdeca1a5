"""A server whose model takes 20 ms a call: `python -m tests.acceptance.slow_server`."""

import sys
import time
from collections.abc import Sequence
from functools import partial

import click
from granian import Granian
from granian.constants import Interfaces
from tests.front.loops import parent

from stopgap import wiring
from stopgap.cli.serving.serve import free_address, invitation
from stopgap.contracts.row import Row
from stopgap.front.door import Door
from stopgap.models.slot import Slot, open_slot
from stopgap.models.specification import Specification
from stopgap.releases.plan import Plan, SlotKey
from stopgap.releases.release import Release
from stopgap.releases.routing import Routing
from stopgap.web.app import create_app
from stopgap.wiring import Installation

CALL_SECONDS = 0.02


class Waiting:
    """A model that waits for something else, as one behind a network does."""

    def predict(self, rows: Sequence[Row]) -> Sequence[int]:
        """Answer, in time."""
        time.sleep(CALL_SECONDS)
        return [3_000] * len(rows)


class Computing:
    """A model that computes in Python, so that no other thread gets far meanwhile."""

    def predict(self, rows: Sequence[Row]) -> Sequence[int]:
        """Answer, in time."""
        end = time.thread_time() + CALL_SECONDS
        while time.thread_time() < end:
            sum(range(1_000))
        return [3_000] * len(rows)


SPECIFICATIONS = {
    "waiting": Specification(uri=f"python:{__file__}:Waiting", batch=1),
    "computing": Specification(uri=f"python:{__file__}:Computing", batch=1, in_process=True),
}


def build(installation: Installation, model: str) -> Door:
    """Build the door, with the slow model where the stand-in would be."""
    parts = wiring.build_parts(installation)
    (contract,), (source,) = parts.contracts, installation.settings.contracts
    specification = SPECIFICATIONS[model]
    slots: list[Slot] = []

    async def begin() -> None:
        release = Release(
            contract=contract.name,
            number=1,
            fingerprint=contract.fingerprint,
            specification=specification,
            stage="live",
        )
        key = SlotKey.of(release)
        assert key is not None
        slots.append(open_slot(specification, contract, contract_source=source))
        await slots[0].start()
        routing = Routing(contract=contract.name, version=1, live=release)
        parts.predicting.apply(contract, Plan(routing, {key: slots[0]}))

    async def end() -> None:
        await slots[0].stop()

    parts.engine.carry(begin, end)
    return wiring.door_to(create_app(parts), parts, supervisor=parent())


def main(model: str) -> None:
    """Serve."""
    settings = wiring.settings_of_environment()
    address, port = free_address(settings.host, settings.port)
    installation = wiring.prepare(settings)
    click.echo(invitation(settings, port, demo=settings.demo_account), err=True)
    server = Granian(
        "slow",
        address=address,
        port=port,
        interface=Interfaces.ASGI,
        websockets=False,
        backpressure=65_536,
        workers_kill_timeout=3,
        log_enabled=False,
    )
    server.serve(target_loader=partial(build, installation, model), wrap_loader=False)


if __name__ == "__main__":
    main(sys.argv[1])
