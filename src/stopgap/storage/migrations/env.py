"""Alembic's way in: runs a history's scripts in the transaction that `migrate` has opened."""

from alembic import context

given = context.config.attributes
context.configure(connection=given["connection"], version_table=given["version_table"])
context.run_migrations()
