"""A cluster behind a firewall: a proxy inside, a monitor outside, and one connection between."""
