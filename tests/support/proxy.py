"""A proxy between tcsniff and a broker that can fail in every way a network fails."""

from __future__ import annotations

import select
import socket
import struct
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Self

HOST = "127.0.0.1"
_TURN = 0.02  # seconds between two looks at what the test wants
_RESET = struct.pack("ii", 1, 0)  # linger for no time: closing sends RST


class Proxy:
    """Listens on its own port and forwards to another, until a fault is set.

    Use it in a ``with`` block.

    Attributes:
        port: Where it listens.
        delay: Seconds that every chunk of bytes is held back.
        rate: Bytes a second of each direction; None for all there is.
        chunk: The most bytes that are forwarded at once.
        answers: Whether new connections are forwarded; else they are accepted
            and nothing ever comes.
        lines: How many connections were accepted so far.
        spoil: Changes what the target sends on new connections, given the bytes before
            these; None for nothing.
    """

    def __init__(self, port: int, host: str = HOST) -> None:
        self.delay = 0.0
        self.rate: float | None = None
        self.chunk = 1 << 14
        self.answers = True
        self.lines = 0
        self.spoil: Callable[[int, bytes], bytes] | None = None
        self._target = (host, port)
        self._lines: list[_Line] = []
        self._closed = threading.Event()
        self._listener: socket.socket | None = socket.create_server((HOST, 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._closed.set()
        self._thread.join()
        self.refuse()
        self.cut()

    def url(self, url: str) -> str:
        """Return a broker's URL with this proxy's port."""
        return url.replace(f":{self._target[1]}", f":{self.port}")

    def cut(self) -> None:
        """Close all connections on both sides; data in transit is lost."""
        self._end(reset=False)

    def reset(self) -> None:
        """Close them with RST, as a router does that has lost the connection."""
        self._end(reset=True)

    def freeze(self) -> None:
        """Stop forwarding on all connections, but keep them open."""
        for line in self._lines:
            line.flows.clear()

    def refuse(self) -> None:
        """Stop listening: new connections are refused."""
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.close()

    def accept(self) -> None:
        """Listen again, on the same port."""
        self._listener = socket.create_server((HOST, self.port))

    def _end(self, *, reset: bool) -> None:
        lines, self._lines = self._lines, []
        for line in lines:
            line.is_reset = reset
            line.ended.set()
        for line in lines:
            line.thread.join()

    def _accept(self) -> None:
        while not self._closed.wait(_TURN):
            with suppress(OSError, ValueError):  # `refuse` came in between
                while self._listener and select.select([self._listener], [], [], 0)[0]:
                    near, _ = self._listener.accept()
                    self.lines += 1
                    self._lines.append(_Line(self, near, self._target))


class _Line:
    # One connection: a thread for each direction, and one that closes both.

    def __init__(self, proxy: Proxy, near: socket.socket, target: tuple[str, int]) -> None:
        self.flows = threading.Event()
        self.ended = threading.Event()
        self.is_reset = False
        self._proxy = proxy
        self._near = near
        self._target = target
        self._spoil = proxy.spoil
        if proxy.answers:
            self.flows.set()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self) -> None:
        far = None
        with suppress(OSError):
            far = socket.create_connection(self._target)
            ways = [(self._near, far), (far, self._near)]
            threads = [threading.Thread(target=self._carry, args=way, daemon=True) for way in ways]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        for side in filter(None, (self._near, far)):
            if self.is_reset:
                side.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            side.close()

    def _carry(self, source: socket.socket, sink: socket.socket) -> None:
        passed = 0
        try:
            while not self.ended.is_set():
                if self.flows.wait(_TURN) and select.select([source], [], [], _TURN)[0]:
                    data = source.recv(self._proxy.chunk)
                    if not data:
                        break
                    if self._spoil is not None and source is not self._near:
                        passed, data = passed + len(data), self._spoil(passed, data)
                    self._forward(data, sink)
        except OSError:
            pass
        finally:
            self.ended.set()

    def _forward(self, data: bytes, sink: socket.socket) -> None:
        pause = self._proxy.delay + (len(data) / self._proxy.rate if self._proxy.rate else 0)
        self.ended.wait(pause)
        while data and not self.ended.is_set():
            if not self.flows.is_set():
                time.sleep(_TURN)
            elif select.select([], [sink], [], _TURN)[1]:
                sink.setblocking(False)
                with suppress(BlockingIOError):
                    data = data[sink.send(data) :]
