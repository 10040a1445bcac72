"""A run, told in the words of others: W3C PROV and RO-Crate."""
