"""Alembic's way in: runs the scripts in the transaction that `migrate` has opened."""

from alembic import context

from stopgap.storage.database import VERSION

context.configure(connection=context.config.attributes["connection"], version_table=VERSION.name)
context.run_migrations()
