"""A simulator of Taskcluster's queue: the messages of made-up task groups.

No I/O and no clock; all modules are pure. Start reading in `simulation`, the entry point.
"""
