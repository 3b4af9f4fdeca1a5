"""Building: all parts of the application, as each worker has them for itself."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from stopgap.accounts.accounts import Accounts
from stopgap.accounts.keys import Keys
from stopgap.accounts.passwords import Passwords
from stopgap.accounts.prediction_limit import PredictionLimit
from stopgap.accounts.recent import RecentCallers
from stopgap.accounts.sessions import Sessions
from stopgap.accounts.sign_in import SignIn
from stopgap.accounts.throttling import Throttle
from stopgap.clock import Clock, Ids, RandomIds, SystemClock
from stopgap.contracts.contract import Contract
from stopgap.contracts.loading import load_contracts
from stopgap.health import Health
from stopgap.images.gallery import Images
from stopgap.images.image import Bounds as ImageBounds
from stopgap.journal.downloads import Downloads
from stopgap.journal.journal import Journal
from stopgap.journal.recent_charts import RecentCharts
from stopgap.journal.spool import Spool
from stopgap.models.stand_in import stand_in
from stopgap.parts import AccountParts, JournalParts, Parts, ReleaseParts
from stopgap.predicting.engine import Engine
from stopgap.predicting.instant import InstantModel
from stopgap.predicting.predicting import Predicting
from stopgap.releases.following import Follower
from stopgap.releases.opening import Opener
from stopgap.releases.release import STAND_IN
from stopgap.releases.releases import Releases
from stopgap.releases.reporting import Reporter
from stopgap.releases.trial import Trial
from stopgap.releases.watch import Watch
from stopgap.settings import Settings
from stopgap.storage.database import Database, open_database
from stopgap.storage.object_stores import open_objects
from stopgap.telemetry.metrics import Metrics
from stopgap.wiring.installation import Installation


@dataclass(frozen=True, kw_only=True)
class Ground:
    """What all parts stand on."""

    installation: Installation
    contracts: tuple[Contract, ...]
    database: Database
    metrics: Metrics
    clock: Clock
    ids: Ids
    helped: bool

    @property
    def settings(self) -> Settings:
        """What the operator has said."""
        return self.installation.settings

    @property
    def sources(self) -> dict[str, str]:
        """Where each contract is imported from: its models' processes do it anew."""
        named = zip(self.contracts, self.settings.contracts, strict=True)
        return {contract.name: place for contract, place in named}


def build_parts(
    installation: Installation, metrics: Metrics | None = None, *, helped: bool = False
) -> Parts:
    """Build everything that the application is made of; after the worker's fork, never before.

    Args:
        metrics: Where a server counts; a command's own doings are told to nobody.
        helped: Whether others answer until the models are loaded.
    """
    ground = Ground(
        installation=installation,
        contracts=load_contracts(installation.settings.contracts),
        database=open_database(installation.at.database, lasting=True),
        metrics=metrics or Metrics(),
        clock=SystemClock(),
        ids=RandomIds(),
        helped=helped,
    )
    images, of_journal = _images(ground), _journal_parts(ground)
    of_releases = _release_parts(ground, of_journal.spool)
    return Parts(
        settings=installation.settings,
        contracts=ground.contracts,
        images=images,
        metrics=ground.metrics,
        database=ground.database,
        health=_health(ground, of_journal.spool, of_releases.predicting),
        clock=ground.clock,
        ids=ground.ids,
        **vars(_account_parts(ground)),
        **vars(of_journal),
        **vars(of_releases),
    )


def _health(ground: Ground, spool: Spool, predicting: Predicting) -> Health:
    strict = ground.settings.journal == "strict"
    return Health(
        ground.database,
        ground.clock.monotonic,
        ready=predicting.check_ready,
        spool=spool if strict else None,
    )


def _account_parts(ground: Ground) -> AccountParts:
    settings, database, secret = ground.settings, ground.database, ground.installation.secret
    previous = settings.previous_secret.encode() if settings.previous_secret else None
    passwords, rate = Passwords(rules=settings.password_rules), settings.prediction_limit
    counts = ground.installation.counts()
    sessions = Sessions(
        database,
        ground.clock,
        ground.ids,
        secret=secret,
        hours=settings.session_hours,
        guest_hours=settings.guest_hours,
        guests=settings.guests,
    )
    sign_in = SignIn(
        database,
        ground.clock,
        sessions=sessions,
        passwords=passwords,
        throttle=Throttle(counts, secret=secret, failures=settings.login_failures),
        secret=secret,
        guests=settings.guests,
        demo_account=settings.demo_account,
    )
    return AccountParts(
        accounts=Accounts(database, ground.clock, ground.ids, passwords=passwords),
        sign_in=sign_in,
        sessions=sessions,
        keys=Keys(database, ground.clock, ground.ids, secret=secret, previous=previous),
        recent=RecentCallers(ground.clock.monotonic),
        counts=counts,
        prediction_limit=PredictionLimit(rate, counts) if rate else None,
    )


def _journal_parts(ground: Ground) -> JournalParts:
    at = ground.installation.at
    journal = Journal(open_database(at.journal), ground.clock, spool=at.spool)
    return JournalParts(
        spool=Spool(
            at.spool,
            ground.ids,
            fsync=ground.settings.journal_fsync,
            monotonic=ground.clock.monotonic,
        ),
        journal=journal,
        charts=RecentCharts(journal, ground.clock.monotonic),
        downloads=Downloads(at.journal),
    )


def _release_parts(ground: Ground, spool: Spool) -> ReleaseParts:
    settings, contracts, clock = ground.settings, ground.contracts, ground.clock
    artifacts = ground.installation.artifacts()
    releases = Releases(ground.database, clock, contracts, fetch=artifacts.secure)
    watch = Watch(ground.database, clock, contracts)
    reporter = Reporter(watch, releases.send_back, worker=ground.ids.new())
    engine = Engine()
    predicting = Predicting(
        _stand_ins(contracts, settings),
        clock=clock,
        spool=spool,
        strict=settings.journal == "strict",
        metrics=ground.metrics,
        engine=engine,
        reporter=reporter,
    )
    follower = Follower(
        releases,
        contracts=contracts,
        open=Opener(ground.sources, artifacts),
        apply=predicting.apply,
        last_known=ground.installation.last_known(),
        report=reporter.take,
        helped=ground.helped,
        monotonic=clock.monotonic,
    )
    engine.carry(follower.start, follower.stop)
    return ReleaseParts(
        predicting=predicting,
        engine=engine,
        releases=releases,
        watch=watch,
        artifacts=artifacts,
        trial=Trial({each.name: each for each in contracts}, ground.sources, artifacts),
    )


def _stand_ins(contracts: Sequence[Contract], settings: Settings) -> list[InstantModel]:
    source = random.Random()  # noqa: S311  # a draw is no secret
    return [
        InstantModel(contract=each, name=STAND_IN, model=stand_in(each, settings.stand_in, source))
        for each in contracts
    ]


def _images(ground: Ground) -> Images:
    settings = ground.settings
    return Images(
        database=ground.database,
        objects=open_objects(ground.installation.at.objects),
        clock=ground.clock,
        ids=ground.ids,
        secret=ground.installation.secret,
        holds_account=Accounts.hold,
        bounds=ImageBounds(
            bytes=settings.image_bytes,
            pixels=settings.image_pixels,
            account_images=settings.account_images,
            guest_images=settings.guest_images,
            guest_bytes=settings.guest_bytes,
            guest_lifetime=timedelta(hours=settings.guest_hours),
        ),
    )
