"""A block at work, inside the process that is its own.

`assembly` builds inputs, data loaders and outputs from an execution block, `loops` has the two
halves of a loop, `databases` says where the data of databases come from, `running` does the block
from its loading to its last unit and says what came of it. Users' code runs here; whoever calls
sees to it that this is no process of anybody else.
"""
