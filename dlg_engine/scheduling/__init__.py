"""Experiments as jobs: what is to be run, on which workers, and what became of it.

Needs SQLAlchemy, which the extra `tasks` brings.
"""

from dlg.support.database import need_sqlalchemy

need_sqlalchemy()
