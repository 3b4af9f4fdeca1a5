"""What the application is built of: all that a view or a command may call; `wiring` makes it."""

from dataclasses import dataclass

from stopgap.accounts.accounts import Accounts
from stopgap.accounts.keys import Keys
from stopgap.accounts.memory_counts import MemoryCounts
from stopgap.accounts.prediction_limit import PredictionLimit
from stopgap.accounts.recent import RecentCallers
from stopgap.accounts.sessions import Sessions
from stopgap.accounts.sign_in import SignIn
from stopgap.clock import Clock, Ids
from stopgap.contracts.contract import Contract
from stopgap.health import Health
from stopgap.images.gallery import Images
from stopgap.journal.downloads import Downloads
from stopgap.journal.journal import Journal
from stopgap.journal.recent_charts import RecentCharts
from stopgap.journal.spool import Spool
from stopgap.models.artifacts import Artifacts
from stopgap.predicting.engine import Engine
from stopgap.predicting.predicting import Predicting
from stopgap.releases.releases import Releases
from stopgap.releases.trial import Trial
from stopgap.releases.watch import Watch
from stopgap.settings import Settings
from stopgap.storage.database import Database
from stopgap.telemetry.metrics import Metrics


@dataclass(frozen=True, kw_only=True)
class AccountParts:
    """What knows who calls."""

    accounts: Accounts
    sign_in: SignIn
    sessions: Sessions
    keys: Keys
    recent: RecentCallers
    counts: MemoryCounts
    prediction_limit: PredictionLimit | None


@dataclass(frozen=True, kw_only=True)
class JournalParts:
    """What remembers every answer."""

    spool: Spool
    journal: Journal
    charts: RecentCharts
    downloads: Downloads


@dataclass(frozen=True, kw_only=True)
class ReleaseParts:
    """What answers, and what decides which model does."""

    predicting: Predicting
    engine: Engine
    releases: Releases
    watch: Watch
    artifacts: Artifacts
    trial: Trial


@dataclass(frozen=True, kw_only=True)
class Parts(AccountParts, JournalParts, ReleaseParts):
    """Everything that a view or a command may call."""

    settings: Settings
    contracts: tuple[Contract, ...]
    images: Images
    metrics: Metrics
    database: Database
    health: Health
    clock: Clock
    ids: Ids

    def contract(self, name: str) -> Contract | None:
        """Find a contract that is served; None: there is none of this name."""
        return next((each for each in self.contracts if each.name == name), None)

    def delete_account(self, name: str) -> tuple[int, int]:
        """Delete an account and its images, and make its answers nobody's; tell how many of both.

        If it is interrupted the account is disabled, and can be deleted again: its name goes last.

        Raises:
            AccountNotFound: there is no account of this name.
        """
        self.accounts.disable(name)  # so that nothing is added meanwhile
        account_id = self.accounts.get(name).id
        images = self.images.delete_all(account_id)
        answers = self.journal.anonymise(account_id)
        self.accounts.delete(name)
        return images, answers

    def close(self) -> None:
        """Let go of files and connections, after the last request."""
        self.engine.close()
        self.metrics.close()
        self.spool.close()
        self.downloads.close()
        self.journal.close()
        self.database.close()
