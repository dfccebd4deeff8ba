"""The unfinished last line of a file to which rows are appended, after a kill."""

from __future__ import annotations

import fcntl
import os
import stat
from collections.abc import Callable
from contextlib import suppress

_MAX_LINE = 1 << 20  # bytes; the longest row that is recognised


def is_appended_to(descriptor: int) -> bool:
    """Return whether output goes to the end of a file that has content, as with ``>>``."""
    try:
        status = os.fstat(descriptor)
        flags = fcntl.fcntl(descriptor, fcntl.F_GETFL)
    except OSError:
        return False
    is_appended = bool(flags & os.O_APPEND) and stat.S_ISREG(status.st_mode)
    return is_appended and status.st_size > 0


def repair_last_line(descriptor: int, is_own: Callable[[bytes, bytes], bool]) -> None:
    """Make the next line start on a line of its own.

    A row that was not written to its end was not acknowledged, so it comes again.

    Args:
        descriptor: A file for which `is_appended_to` is true.
        is_own: Returns from the start of the file and an unfinished last line whether
            that is an unfinished row, which is removed. Other text is completed by a
            line feed.
    """
    with suppress(OSError):  # not readable: nothing can be said
        reader = os.open(f"/dev/fd/{descriptor}", os.O_RDONLY)
        try:
            size = os.fstat(reader).st_size
            start = max(0, size - _MAX_LINE)
            head, tail = os.pread(reader, _MAX_LINE, 0), os.pread(reader, _MAX_LINE, start)
        finally:
            os.close(reader)
        last = tail[tail.rfind(b"\n") + 1 :]
        if not last:
            return
        if is_own(head, last):
            os.ftruncate(descriptor, size - len(last))
        else:
            os.write(descriptor, b"\n")
