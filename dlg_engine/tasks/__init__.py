"""Pipelines with a memory: tasks, their attempts, and the products they made, in a database.

Needs SQLAlchemy and alembic, which the extra `tasks` brings. Nothing here knows of graphs.
"""

from dlg.support.database import need_sqlalchemy

need_sqlalchemy()
