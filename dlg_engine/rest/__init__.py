"""REST of the managers: tables of routes with handlers of a few lines, over one contract."""
