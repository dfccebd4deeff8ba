"""What ``top`` counts: runs by worker pool, worker, kind or the like, in bounded memory.

No I/O; all modules are pure. Start reading in `run_statistics`, which counts runs in `rows`.
"""
