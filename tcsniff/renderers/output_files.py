"""Files that are written: whole or not at all, and opened so that a signal can end the wait."""

from __future__ import annotations

import errno
import os
import secrets
import stat
import time
from contextlib import suppress
from pathlib import Path

from tcsniff.renderers.output import write_some
from tcsniff.signals import signal_handler

_FIFO_PAUSE = 0.1  # seconds between two looks for the reader of a named pipe
# A directory in which no file can be created or renamed, though an existing one can be
# written, as a single file that is mounted into a container.
_FIXED_NAMES = {errno.EACCES, errno.EPERM, errno.EROFS, errno.EBUSY, errno.EXDEV}


def open_for_writing(path: str, flags: int = 0) -> int:
    """Open a file, and wait for the reader of a named pipe.

    A received signal ends the wait by its exception.

    Args:
        path: The file; created if it does not exist.
        flags: More flags of `os.open`.

    Returns:
        The descriptor.

    Raises:
        OSError: If it cannot be opened.
    """
    flags |= os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC
    while True:
        try:
            descriptor = os.open(path, flags | os.O_NONBLOCK, 0o666)
        except OSError as error:
            if error.errno != errno.ENXIO or not Path(path).is_fifo():
                raise
            if signal_handler.received is not None:
                signal_handler.raise_received()
            time.sleep(_FIFO_PAUSE)
        else:
            os.set_blocking(descriptor, True)
            return descriptor


def check_writable(path: str) -> None:
    """Check whether `replace_file` can write a file, without changing it.

    Raises:
        OSError: If it cannot.
    """
    try:
        mode = Path(path).stat().st_mode
    except FileNotFoundError:
        temporary = _create_temporary(os.path.realpath(path))
        temporary.unlink()
        return
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if stat.S_ISREG(mode):
        os.close(os.open(path, os.O_WRONLY | os.O_APPEND))


def replace_file(path: str, data: bytes) -> None:
    """Write a file; a regular one is replaced when all of the data is written.

    Symbolic links are followed, and permissions are kept.

    Raises:
        OSError: If it cannot be written; a regular file is unchanged.
    """
    try:
        status = Path(path).stat()
    except FileNotFoundError:
        status = None
    if status is not None and not stat.S_ISREG(status.st_mode):
        _write_in_place(path, data)
        return
    target = os.path.realpath(path)
    try:
        _replace_whole(target, data, status)
    except OSError as error:
        if status is None or error.errno not in _FIXED_NAMES:
            raise
        _write_in_place(path, data)


def _replace_whole(target: str, data: bytes, status: os.stat_result | None) -> None:
    temporary = _create_temporary(target)
    try:
        with signal_handler.unwinding(), temporary.open("wb") as file:
            file.write(data)
            if status is not None:
                with suppress(OSError):  # only root may give files away
                    os.fchown(file.fileno(), status.st_uid, status.st_gid)
                os.fchmod(file.fileno(), stat.S_IMODE(status.st_mode))
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _create_temporary(target: str) -> Path:
    temporary = Path(target).parent / f".tcsniff-{secrets.token_hex(6)}.tmp"
    temporary.touch(exist_ok=False)
    return temporary


def _write_in_place(path: str, data: bytes) -> None:
    descriptor = open_for_writing(path, os.O_TRUNC)
    left = memoryview(data)
    try:
        while left:
            left = left[write_some(descriptor, left) :]
    finally:
        os.close(descriptor)
