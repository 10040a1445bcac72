"""What alembic runs: the changes, on the connection that `migrating` hands over."""

from alembic import context

from dlg_engine.tasks.schema import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    transactional_ddl=False,  # the transaction is that of the connection
    version_table="eas_version",
    render_as_batch=True,
)
context.run_migrations()
