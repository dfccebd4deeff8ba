"""Recordings as a source: files of records, as `-o json` writes them.

Also read are what Taskcluster's web page of Pulse messages downloads, an array
of messages, and bare payloads of the queue, one a line.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence
from types import TracebackType
from typing import BinaryIO, Self

import msgspec

from tcsniff.errors import RecordingError
from tcsniff.pipeline import Source
from tcsniff.pulse import records
from tcsniff.pulse.deliveries import Delivery, Gap
from tcsniff.pulse.exchanges import ROUTE
from tcsniff.pulse.times import parse_timestamp
from tcsniff.selection.select import Selection
from tcsniff.sources.file_chunks import PAUSE, Notify, open_input, read_chunks
from tcsniff.sources.wakeup import WakeUp

_ARRAY = re.compile(rb"\s*\[\s*\{")  # how what the web page downloads begins
_TOLD = 5  # bad lines of a file that are told one by one


OnGap = Callable[[Gap], object]
"""Takes a gap."""


class Recording(Source):
    """Deliveries from files, in the order in which they stand there.

    Attributes:
        skipped: How many lines were no records.
    """

    def __init__(
        self,
        paths: Sequence[str],
        notify: Notify,
        *,
        selection: Selection | None = None,
        on_gap: OnGap = str,
        follow: bool = False,
        speed: float | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] | None = None,
    ) -> None:
        """Nothing is opened yet.

        Args:
            paths: Names of files, one after the other; ``-`` is standard input.
            notify: Takes what a person should know about the files.
            selection: What to hand out, by the broker's own rule; None for all.
            on_gap: Takes gaps that were recorded.
            follow: Whether to wait for more at the end of the last file.
            speed: How many times faster than recorded to hand them out; None
                for as fast as they are taken.
            clock: Tells the time, in seconds.
            sleep: Waits, in seconds; None for a wait that `stop` ends.
        """
        self._paths = paths
        self._notify = notify
        self._selection = selection
        self._on_gap = on_gap
        self._follow = follow
        self._speed = speed
        self._clock = clock
        self._alarm = WakeUp()
        self._sleep = sleep or self._alarm.wait
        self._files: list[BinaryIO] = []
        self._readings: list[_Reading] = []

    def __enter__(self) -> Self:
        """See that every file is there.

        Raises:
            RecordingError: If one cannot be opened.
        """
        self._open()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._close()

    @property
    def skipped_lines(self) -> int:
        """How many lines were no records, so far."""
        return sum(reading.skipped_lines for reading in self._readings)

    @property
    def unselected(self) -> int:
        """How many records were not selected, so far."""
        return sum(reading.unselected for reading in self._readings)

    def batches(self) -> Iterator[Sequence[Delivery]]:
        """Hand out deliveries.

        Yields:
            As many as were read at once; nothing while waiting.

        Raises:
            RecordingError: If a file cannot be read, or holds no record.
        """
        batches = self._read()
        for batch in batches if self._speed is None else self._paced(batches, self._speed):
            if self._alarm.rung:
                return
            yield batch

    def ack(self, taken: int) -> None:
        """Nothing here is acknowledged; only what stands behind has not been passed over."""
        if taken and self._speed is None and self._readings:
            self._readings[-1].end_at(taken)

    def stop(self) -> None:
        """Have `batches` end soon; also from a signal handler."""
        self._alarm.ring()

    def _open(self) -> None:
        try:
            # Once and for all: a pipe can be opened only once.
            for path in self._paths[len(self._files) :]:
                self._files.append(open_input(path))
        except RecordingError:
            self._close()
            raise

    def _close(self) -> None:
        for file in self._files:
            file.close()

    def _read(self) -> Iterator[Sequence[Delivery]]:
        self._open()
        for path, file in zip(self._paths, self._files, strict=True):
            follow = self._follow and file is self._files[-1]
            wait = self._sleep if follow else None
            parts = read_chunks(path, file, self._notify, self._alarm, wait)
            reading = _Reading(path, self._notify, self._on_gap, self._selection)
            self._readings.append(reading)
            with file:
                yield from reading.batches(parts)

    def _paced(
        self, batches: Iterator[Sequence[Delivery]], speed: float
    ) -> Iterator[Sequence[Delivery]]:
        offset = None  # from the recording's time, divided by the speed, to ours
        for batch in batches:
            due: list[Delivery] = []
            for delivery in batch:
                received = parse_timestamp(delivery.received)
                if received is not None:
                    when = received.timestamp() / speed
                    offset = self._clock() - when if offset is None else offset
                    while (left := when + offset - self._clock()) > 0:
                        yield due
                        due = []
                        self._sleep(min(left, PAUSE))
                due.append(delivery)
            yield due


class _Reading:
    # One file, from bytes to deliveries.

    def __init__(
        self, path: str, notify: Notify, on_gap: OnGap, selection: Selection | None
    ) -> None:
        self._on_gap = on_gap
        self.skipped_lines = self.unselected = 0
        self._test = None if selection is None else selection.test()
        self._with_routes = selection is not None and selection.looks_at_routes
        self._path = path
        self._notify = notify
        self._found = False
        self._line = 0
        self._places: list[int] = []  # of each of a batch: how many were passed over by then

    def end_at(self, taken: int) -> None:
        self.unselected = self._places[taken - 1]

    def batches(self, parts: Iterator[bytes]) -> Iterator[Sequence[Delivery]]:
        first = b""
        for first in parts:
            if first:
                break
            yield ()
        if _ARRAY.match(first):
            yield from self._array(first + b"".join(parts))
        else:
            yield from self._lines(first, parts)
        if self.skipped_lines > _TOLD:
            self._notify(f"{self._path}: {self.skipped_lines:,} lines are no records, all in all")
        if not self._found:
            raise RecordingError(f"{self._path}: no record in it; `tcsniff -o json` writes them")

    def _array(self, text: bytes) -> Iterator[Sequence[Delivery]]:
        try:
            messages = msgspec.json.decode(text, type=list[msgspec.Raw])
        except (msgspec.DecodeError, UnicodeDecodeError):
            yield from self._lines(text, iter(()))
        else:
            yield from self._deliveries([bytes(message) for message in messages])

    def _lines(self, first: bytes, parts: Iterator[bytes]) -> Iterator[Sequence[Delivery]]:
        rest: list[bytes] = []
        part: bytes | None = first
        while part is not None:
            lines = part.split(b"\n")
            if len(lines) > 1:
                lines[0] = b"".join(rest) + lines[0]
                rest = [lines.pop()]
                yield from self._deliveries(lines)
            else:  # of a line longer than a chunk, or of none
                rest.append(part)
                yield ()
            part = next(parts, None)
        last = b"".join(rest)
        if last.strip():
            yield from self._deliveries([last], torn=True)

    def _deliveries(
        self, lines: Sequence[bytes], *, torn: bool = False
    ) -> Iterator[Sequence[Delivery]]:
        found: list[Delivery] = []
        self._places = []
        # Most selections can be told from the head of a record.
        quick = None if self._with_routes else self._test
        parse_head = records.parse_record_head
        first = self._line
        self._line += len(lines)
        for place, line in enumerate(lines, first + 1):
            try:
                if quick is not None:
                    head = parse_head(line)
                    if not quick(head.exchange, (head.routing_key, *head.cc)):
                        self._found = True
                        self.unselected += 1
                        continue
                record = records.parse_record(line)
                self._found = True
                if quick is not None or self._is_selected(record):
                    found.append(records.to_delivery(record))
                    self._places.append(self.unselected)
            except ValueError as error:
                if (gap := _gap(line)) is not None:
                    self._found = True
                    yield found  # what came before it is shown before it
                    found, self._places = [], []
                    self._on_gap(gap)
                    continue
                reason = "torn off" if torn else str(error)
                other = self._other(
                    line, f"{self._path}:{place}: no record, passed over: {reason}"
                )
                if other is not None:
                    found.append(other)
                    self._places.append(self.unselected)
        yield found

    def _is_selected(self, record: records.Record) -> bool:
        if self._test is None:
            return True
        keys = (record.routing_key, *record.cc)
        if self._with_routes:
            keys = (*keys, *[ROUTE + route for route in record.routes])
        if self._test(record.exchange, keys):
            return True
        self.unselected += 1
        return False

    def _other(self, line: bytes, reason: str) -> Delivery | None:
        if not line.strip():
            return None
        try:
            delivery = records.rebuild_delivery(line)
        except ValueError:
            self.skipped_lines += 1
            if self.skipped_lines <= _TOLD:
                self._notify(reason)
            return None
        self._found = True
        if self._test is None or self._test(delivery.exchange, delivery.keys):
            return delivery
        self.unselected += 1
        return None


def _gap(line: bytes) -> Gap | None:
    if not line.startswith(b'{"gap":'):
        return None
    try:
        return records.parse_gap(line)
    except ValueError:
        return None
