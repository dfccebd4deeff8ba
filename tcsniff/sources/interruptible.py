"""Calls that cannot be interrupted, made in a thread that can be abandoned."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

_Result = TypeVar("_Result")


def call_interruptibly(
    function: Callable[[], _Result], name: str, timeout: float | None = None
) -> _Result:
    """Call a function in a thread, and wait for it.

    Python runs signal handlers only between two of its own instructions, so the
    system's resolver, for example, delays Ctrl-C for as long as it takes. An
    exception raised by a signal handler ends this wait at once; the thread is
    left to itself, and does not keep the process from ending.

    Args:
        function: What to call.
        name: Of the thread.
        timeout: The longest wait in seconds; None for no limit.

    Raises:
        TimeoutError: If the function takes longer than the timeout.
        BaseException: Whatever the function raises.
    """
    future: Future[_Result] = Future()

    def call() -> None:
        try:
            future.set_result(function())
        except BaseException as error:  # noqa: BLE001 - raised again by the caller
            future.set_exception(error)

    threading.Thread(target=call, name=name, daemon=True).start()
    return future.result(timeout)
