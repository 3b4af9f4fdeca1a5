"""Everybody's counts on a Valkey, or a Redis: what speaks its protocol, from version 7 on."""

from collections.abc import Collection, Mapping

from valkey import Valkey
from valkey.exceptions import ValkeyError

from stopgap.accounts.shared_counts import CountsUnreachable, Increment, Total

PREFIX = "stopgap:count:"
SECONDS = 1.0
"""For which an exchange waits for a connection, or for an answer."""


class ValkeyServer:
    """One server, asked by one thread at a time.

    Args:
        url: `valkey://[:password@]host[:port][/number]`; `valkeys://` with TLS; `redis://` and
            `rediss://` are the same.

    Raises:
        ValueError, TypeError, ValkeyError: it is written wrongly.
    """

    def __init__(self, url: str) -> None:
        self._client = Valkey.from_url(
            url,
            socket_timeout=SECONDS,
            socket_connect_timeout=SECONDS,
            decode_responses=True,
        )
        pool = self._client.connection_pool
        # Else a wrong option is told when it is used.
        pool.connection_class(**pool.connection_kwargs)

    def exchange(
        self, forgotten: Collection[str], increments: Mapping[str, Increment]
    ) -> Mapping[str, Total]:
        """Forget counts, then add to others, all or nothing; tell how each of these stands then.

        Raises:
            CountsUnreachable: it does not answer, or refuses.
        """
        pipeline = self._client.pipeline(transaction=True)
        for key in forgotten:
            pipeline.delete(PREFIX + key)
        for key, increment in increments.items():
            pipeline.incrby(PREFIX + key, increment.amount)
            pipeline.pexpire(PREFIX + key, max(1, round(increment.seconds * 1_000)), nx=True)
            pipeline.pttl(PREFIX + key)
        try:
            told = pipeline.execute()[len(forgotten) :]  # type: ignore[no-untyped-call]  # the library's
        except (ValkeyError, UnicodeError) as error:  # the latter of a host that cannot be one
            raise CountsUnreachable(str(error)) from error
        return {
            key: Total(count=told[3 * place], seconds=told[3 * place + 2] / 1_000)
            for place, key in enumerate(increments)
        }

    def ping(self) -> None:
        """See that it answers.

        Raises:
            CountsUnreachable: it does not.
        """
        try:
            self._client.ping()
        except (ValkeyError, UnicodeError) as error:  # the latter of a host that cannot be one
            raise CountsUnreachable(str(error)) from error
