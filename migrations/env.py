"""Runs migrations on the connection it is given; used by the program, the command line and the tests alike."""

from alembic import context

from annotator.models import SQLModel

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=SQLModel.metadata,
    render_as_batch=True,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
