"""Assets of BEAT (formats, databases, algorithms, toolchains, experiments) and what runs them.

Module, class and method names are those of `beat.core`: `beat.core.X` is `dlg.beat.X`.
Knows no drops.
"""
