"""Job descriptions and their expression language. Pure.

A job is a document with a list of tasks, and with loops and branches made of more tasks. `reading`
makes a document of JSON or YAML, `parsing` a `model.Job` of a document, and `planning` the tasks,
products and decisions that a job comes to. `expressions` is the language in which a job says what
depends on metadata: a closed one, which can neither run code nor work for long.
"""
