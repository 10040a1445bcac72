"""Data-activated execution of scientific graphs: what every part of the system shares."""
