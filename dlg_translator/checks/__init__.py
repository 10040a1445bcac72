"""What can be wrong with a logical graph: the table of kinds, and the checks for them."""
