"""The programs that run in other environments and in containers, by the names they always had.

`execute` runs an algorithm, `databases_provider` serves views, `loop_execute` is the evaluator of
a loop. They take what an executor has dumped in a folder (`configuration.json` and `prefix`) and
speak by `dlg.beat.messages`, so that any executor can use them.
"""
