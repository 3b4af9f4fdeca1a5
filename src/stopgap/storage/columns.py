"""Columns: what the tables of all nouns have in common."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import BigInteger, Dialect, MetaData, TypeDecorator

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)
"""Every table of every noun; their `store` modules add them."""


class Moment(TypeDecorator[datetime]):
    """A moment in UTC, kept as integer microseconds since 1970: exact, sortable, one for all."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(
        self, value: datetime | None, dialect: Dialect  # noqa: ARG002  # SQLAlchemy names it
    ) -> int | None:
        """Write a moment; one without a time zone is a mistake of the caller."""
        return None if value is None else (value - EPOCH) // MICROSECOND

    def process_result_value(
        self, value: int | None, dialect: Dialect  # noqa: ARG002  # SQLAlchemy names it
    ) -> datetime | None:
        """Read a moment."""
        return None if value is None else EPOCH + value * MICROSECOND


EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
