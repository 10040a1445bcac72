"""Tools to test translators and their extensions with."""
