"""The program ``tcsniff``, and ``python -m tcsniff``."""

# Built into Python. `signal` imports 15 modules, and Ctrl-C during these 3 ms would end
# in a traceback.
import _signal as signal  # type: ignore[import-not-found]
import os


def _end_at_once(number: int, _frame: object) -> None:
    os._exit(128 + number)


# While the program is imported there is nothing to clean up. A signal that is ignored
# stays ignored.
for _number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    if signal.getsignal(_number) != signal.SIG_IGN:
        signal.signal(_number, _end_at_once)

import gc  # noqa: E402 - after the signals

# Start-up creates no garbage, but searching for it takes a seventh of the time.
# Later, too, almost nothing is in reference cycles.
gc.set_threshold(50_000, 20, 100)

from tcsniff.cli import run  # noqa: E402 - the imports are what this makes faster

if __name__ == "__main__":
    run()
