"""The health of this server: whether it can serve, found out for all who ask in good time."""

import threading
from collections.abc import Callable
from concurrent.futures import Future

from stopgap.journal.spool import Spool
from stopgap.storage.database import Database
from stopgap.storage.database_faults import DatabaseUnreachable

PATIENCE_SECONDS = 2.0
"""In which whoever asks has an answer; load balancers commonly wait for 5 seconds."""


class Health:
    """Looks whether there are answers, whether they can be put on record, and at the database.

    One look at the database at a time, which all who ask share.

    A database that is frozen takes its time, or all time, and would take the thread of everybody
    who asks. Only the look's own thread is held up by it.

    Args:
        database: The accounts'.
        monotonic: Tells seconds.
        ready: Raises ModelUnavailable while nobody can answer since the start.
        spool: Where what is answered has to be on record; None: it need not be.
    """

    def __init__(
        self,
        database: Database,
        monotonic: Callable[[], float],
        *,
        ready: Callable[[], None],
        spool: Spool | None = None,
    ) -> None:
        self._database = database
        self._monotonic = monotonic
        self._ready = ready
        self._spool = spool
        self._lock = threading.Lock()
        self._look: Future[None] = Future()
        self._look.set_result(None)
        self._began = 0.0

    def check(self) -> None:
        """See whether the server can serve.

        Raises:
            ModelUnavailable: since the start there has been nobody to answer for some contract.
            SpoolUnwritable: no answer can be put on record.
            DatabaseUnreachable: the database does not answer, or has not for two seconds.
        """
        self._ready()
        if self._spool:
            self._spool.check()
        with self._lock:
            if self._look.done():
                self._begin()
            look, began = self._look, self._began
        try:
            look.result(timeout=max(0.0, began + PATIENCE_SECONDS - self._monotonic()))
        except TimeoutError:
            reason = f"it has not answered for {PATIENCE_SECONDS:g} seconds"
            raise DatabaseUnreachable(self._database.name, reason) from None

    def _begin(self) -> None:
        look: Future[None] = Future()
        threading.Thread(target=self._do, args=(look,), name="health", daemon=True).start()
        self._look, self._began = look, self._monotonic()

    def _do(self, look: Future[None]) -> None:
        try:
            self._database.check()
        except Exception as error:  # noqa: BLE001  # for whoever asked
            look.set_exception(error)
        else:
            look.set_result(None)
