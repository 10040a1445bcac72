"""What the tables were at each version, and how one gets from one to the next (alembic)."""
