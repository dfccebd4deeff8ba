"""Recordings as a source: files of records, as `-o json` writes them.

Also read are the array of messages that Taskcluster's web page of Pulse messages
downloads, and bare payloads of the queue, one per line.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence
from io import BytesIO
from typing import BinaryIO, Self

import msgspec

from tcsniff.errors import RecordingError
from tcsniff.pipeline import FindFile, Source
from tcsniff.pulse import records
from tcsniff.pulse.deliveries import Delivery, Gap
from tcsniff.pulse.exchanges import ROUTE
from tcsniff.pulse.times import parse_timestamp
from tcsniff.selection.select import Selection
from tcsniff.sources.file_chunks import PAUSE, STANDARD_INPUT, Notify, open_input, read_chunks
from tcsniff.sources.wakeup import WakeUp

_ARRAY = re.compile(rb"\s*\[\s*\{")  # the start of what the web page downloads
_MAX_LINE = 64 << 20  # bytes of a line, and of the array of the web page
_PRETTY = re.compile(
    rb"\s*\{\s*(?:\"\w+\"\s*:.*[,{\[]\s*)?"
)  # the first line of an indented object
_PRETTY_ADVICE = "indented JSON; a recording has one record a line; to read it: "
_MAX_PRETTY = 1000  # bytes of a line in which the start of an indented object is looked for
_MAX_DISORDER = 60.0  # seconds between records; more means that the clock was set back
_INCOMPLETE = "incomplete line"
_MAX_REPORTED = 5  # invalid lines of a file that are reported one by one

OnGap = Callable[[Gap], object]
"""Receives a gap."""


def _ignore(_gap: Gap) -> None:
    return


class Recording(Source):
    """Deliveries from files, in the files' order."""

    def __init__(
        self,
        paths: Sequence[str],
        notify: Notify,
        *,
        selection: Selection | None = None,
        on_gap: OnGap = _ignore,
        follow: bool = False,
        speed: float | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] | None = None,
    ) -> None:
        """Create a source; entering it opens the files.

        Args:
            paths: Names of files, read one after the other; ``-`` is standard
                input.
            notify: Receives messages about the files for the user.
            selection: What to yield, by the broker's own rule; None for all.
            on_gap: Receives gaps that were recorded.
            follow: Whether to wait for more at the end of the last file.
            speed: How many times faster than recorded to yield the deliveries;
                None for as fast as possible.
            clock: Returns the time in seconds.
            sleep: Waits for seconds; None for a wait that `stop` ends.
        """
        self._paths = paths
        self._notify = notify
        self._selection = selection
        self._on_gap = on_gap
        self._follow = follow
        self._speed = speed
        self._clock = clock
        self._wake_up = WakeUp()
        self._sleep = sleep or self._wake_up.wait
        self._files: list[BinaryIO] = []
        self._readers: list[_RecordReader] = []

    def __enter__(self) -> Self:
        """Open every file.

        Raises:
            RecordingError: If one cannot be opened.
        """
        self._open_files()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._close_files()

    @property
    def skipped_lines(self) -> int:
        """How many lines were not records, so far."""
        return sum(reader.skipped_lines for reader in self._readers)

    @property
    def unselected(self) -> int:
        """How many records were not selected, so far."""
        return sum(reader.unselected for reader in self._readers)

    def batches(self) -> Iterator[Sequence[Delivery]]:
        """Yield what was read at once; an empty batch while waiting.

        Raises:
            RecordingError: If a file cannot be read, or contains no record.
        """
        batches = self._read_files()
        for batch in batches if self._speed is None else self._pace(batches, self._speed):
            if self._wake_up.is_triggered:
                return
            yield batch

    def ack(self, count: int) -> None:
        """Count only the unselected records before the end of the last `count` deliveries."""
        if count and self._speed is None and self._readers:
            self._readers[-1].end_at(count)

    def stop(self) -> None:
        """Make `batches` end soon; safe to call in a signal handler."""
        self._wake_up.trigger()

    def watch(self, find_file: FindFile) -> None:
        """Let `batches` yield soon, whenever a file can be read while it waits."""
        self._wake_up.watch(find_file)

    def _open_files(self) -> None:
        try:
            # Each once: a pipe cannot be opened a second time.
            for path in self._paths[len(self._files) :]:
                self._files.append(open_input(path))
        except RecordingError:
            self._close_files()
            raise

    def _close_files(self) -> None:
        for file in self._files:
            file.close()

    def _read_files(self) -> Iterator[Sequence[Delivery]]:
        self._open_files()
        for path, file in zip(self._paths, self._files, strict=True):
            wait = self._sleep if self._follow and file is self._files[-1] else None
            chunks = read_chunks(path, file, self._notify, self._wake_up, wait)
            reader = _RecordReader(path, self._notify, self._on_gap, self._selection)
            self._readers.append(reader)
            with file:
                yield from reader.read_batches(chunks)

    def _pace(
        self, batches: Iterator[Sequence[Delivery]], speed: float
    ) -> Iterator[Sequence[Delivery]]:
        offset = None  # from the recorded time, divided by the speed, to the clock's
        latest = 0.0
        for batch in batches:
            due: list[Delivery] = []
            for delivery in batch:
                received = parse_timestamp(delivery.received)
                if received is not None:
                    recorded = received.timestamp() / speed
                    if offset is None or recorded < latest - _MAX_DISORDER / speed:
                        offset = self._clock() - recorded
                    latest = recorded
                    while (left := recorded + offset - self._clock()) > 0:
                        yield due
                        due = []
                        self._sleep(min(left, PAUSE))
                due.append(delivery)
            yield due


class _RecordReader:
    # One file, from chunks to deliveries.

    def __init__(
        self, path: str, notify: Notify, on_gap: OnGap, selection: Selection | None
    ) -> None:
        self.skipped_lines = self.unselected = 0
        self._on_gap = on_gap
        self._accepts = None if selection is None else selection.test()
        self._needs_routes = selection is not None and selection.looks_at_routes
        self._has_unknown_routes = False  # whether that was reported
        self._path = path
        self._notify = notify
        self._has_records = False
        self._is_pretty = False  # whether a line looks like the first of an indented object
        self._line_number = 0
        # For each delivery of a batch: how many records were not selected up to it.
        self._unselected_before: list[int] = []

    def end_at(self, count: int) -> None:
        self.unselected = self._unselected_before[count - 1]

    def read_batches(self, chunks: Iterator[bytes]) -> Iterator[Sequence[Delivery]]:
        first = b""
        for first in chunks:
            if first:
                break
            yield ()
        if _ARRAY.match(first):
            yield from self._read_array(self._join_array(first, chunks))
        else:
            yield from self._read_lines(first, chunks)
        if self.skipped_lines > _MAX_REPORTED and (self._has_records or not self._is_pretty):
            self._notify(f"{self._path}: skipped {self.skipped_lines:,} lines without a record")
        if not self._has_records and self._is_pretty:
            raise RecordingError(
                f"{self._path}: {_PRETTY_ADVICE}jq -c . {self._name_input()}| tcsniff --from -"
            )
        if not self._has_records:
            raise RecordingError(
                f"{self._path}: contains no record; `tcsniff -o json` writes them"
            )

    def _join_array(self, first: bytes, chunks: Iterator[bytes]) -> bytes:
        parts = [first]
        size = len(first)
        for chunk in chunks:
            parts.append(chunk)
            size += len(chunk)
            if size > _MAX_LINE:
                raise RecordingError(
                    f"{self._path}: an array of more than {_MAX_LINE >> 20} MiB; to read it: "
                    f"jq -c '.[]' {self._name_input()}| tcsniff --from -"
                )
        return b"".join(parts)

    def _read_array(self, text: bytes) -> Iterator[Sequence[Delivery]]:
        try:
            messages = msgspec.json.decode(text, type=list[msgspec.Raw])
        except (msgspec.DecodeError, UnicodeDecodeError):
            yield from self._read_lines(text, iter(()))
        else:
            yield from self._parse_lines([bytes(message) for message in messages])

    def _read_lines(self, first: bytes, chunks: Iterator[bytes]) -> Iterator[Sequence[Delivery]]:
        rest: list[bytes] = []
        size = 0  # of `rest`
        chunk: bytes | None = first
        while chunk is not None:
            lines = BytesIO(chunk).readlines()  # 0.03 s of a file of 118 MB; with split 0.1 s
            end = b"" if not lines or lines[-1].endswith(b"\n") else lines.pop()
            if lines:
                lines[0] = b"".join(rest) + lines[0]
                rest = [end]
                size = len(end)
                yield from self._parse_lines(lines)
            else:  # part of a line longer than a chunk, or nothing
                rest.append(chunk)
                size += len(chunk)
                self._check_line_length(size)
                yield ()
            chunk = next(chunks, None)
        last = b"".join(rest)
        if last.strip():
            yield from self._parse_lines([last], is_incomplete=True)

    def _name_input(self) -> str:
        return "" if self._path == STANDARD_INPUT else f"{self._path} "

    def _check_line_length(self, size: int) -> None:
        if size > _MAX_LINE:
            raise RecordingError(
                f"{self._path}:{self._line_number + 1}: the line is longer than "
                f"{_MAX_LINE >> 20} MiB, so it is not a record"
            )

    def _parse_lines(
        self, lines: Sequence[bytes], *, is_incomplete: bool = False
    ) -> Iterator[Sequence[Delivery]]:
        batch: list[Delivery] = []
        self._unselected_before = []
        # Most selections need only the head of a record, which is faster to parse.
        accepts_head = None if self._needs_routes else self._accepts
        parse_head = records.parse_record_head
        first = self._line_number + 1
        self._line_number += len(lines)
        for number, line in enumerate(lines, first):
            try:
                if accepts_head is not None:
                    head = parse_head(line)
                    if not accepts_head(head.exchange, (head.routing_key, *head.cc)):
                        self._has_records = True
                        self.unselected += 1
                        continue
                record = records.parse_record(line)
                self._has_records = True
                if accepts_head is not None or self._is_selected(record):
                    batch.append(records.to_delivery(record))
                    self._unselected_before.append(self.unselected)
            except ValueError as error:
                if (gap := _parse_gap(line)) is not None:
                    self._has_records = True
                    yield batch  # before the gap
                    batch, self._unselected_before = [], []
                    self._on_gap(gap)
                    continue
                delivery = self._rebuild_delivery(
                    line, number, _INCOMPLETE if is_incomplete else str(error)
                )
                if delivery is not None:
                    batch.append(delivery)
                    self._unselected_before.append(self.unselected)
        yield batch

    def _is_selected(self, record: records.Record) -> bool:
        if self._accepts is None:
            return True
        keys = (record.routing_key, *record.cc)
        if self._needs_routes:
            keys = (*keys, *[ROUTE + route for route in record.routes or ()])
        if self._accepts(record.exchange, keys):
            return True
        self.unselected += 1
        if self._needs_routes and record.routes is None and not self._has_unknown_routes:
            self._has_unknown_routes = True
            self._notify(
                f"{self._path}: routes are unknown, because it was recorded through a web "
                "server; such messages cannot be selected by route"
            )
        return False

    def _rebuild_delivery(self, line: bytes, number: int, reason: str) -> Delivery | None:
        if not line.strip():
            return None
        try:
            delivery = records.rebuild_delivery(line)
        except ValueError:
            self.skipped_lines += 1
            if not self._has_records and reason != _INCOMPLETE:
                self._is_pretty = self._is_pretty or bool(_PRETTY.fullmatch(line[:_MAX_PRETTY]))
            if self.skipped_lines <= _MAX_REPORTED and (self._has_records or not self._is_pretty):
                self._notify(f"{self._path}:{number}: skipped, not a record: {reason}")
            return None
        self._has_records = True
        if self._accepts is None or self._accepts(delivery.exchange, delivery.keys):
            return delivery
        self.unselected += 1
        return None


def _parse_gap(line: bytes) -> Gap | None:
    if not line.startswith(b'{"gap":'):
        return None
    try:
        return records.parse_gap(line)
    except ValueError:
        return None
