"""Deliveries to record, untrusted ones among them, and a writer and a reader of recordings."""

from __future__ import annotations

import io
import random

from builders import delivery, samples
from tcsniff.pulse import records
from tcsniff.pulse.deliveries import Delivery
from tcsniff.pulse.events import Event
from tcsniff.renderers.lines import LINE_FORMATS, LineRenderer
from tcsniff.renderers.output import Output
from tcsniff.renderers.recorder import Recorder
from tcsniff.sources.recording import Recording

SAMPLES = samples()
UNTRUSTED = [
    b'{"n":123456789012345678901234567890,"f":0.10000000000000000000000000001}',
    b'{"a":1,"a":{"b":2,"b":3},"a":1}',
    b'{"z":1,"a":2,"m":3}',
    b'{ "spaced" : [ 1 , 2.0e0 , -0 ] }',
    b'{"escaped":"\\u00e9\\/\\ud83d\\ude00"}',
    '{"text":"é\u2028\u0085\U0001f600"}'.encode(),
    b'"only text"',
    b"null",
    b"[]",
    b"[" * 200 + b"]" * 200,
    b"[" * 1024 + b"]" * 1024,
    b"",
    b"{",
    b"NaN",
    b"\xff\x00\x1b[2J\r\n",
    b'"\xed\xa0\x80"',
    b'{"payload":1}\n{"received":null}',
]


MANY = [
    *SAMPLES,
    *[delivery(body=body) for body in UNTRUSTED],
    delivery(key="a\nb\u2028\x1b", routes=["#", "x.é"], cc=["other", "routes.x"]),
    delivery(key="", exchange="exchange/x", body=b"1", redelivered=True),
]


RECORDS = [records.format_record(one) for one in MANY]
TEXT = b"".join(RECORDS)
SHORT = [
    records.format_record(delivery(key=f"key.{number}", body=b"%d" % number))
    for number in range(4)
]


class Messages(list):
    """A list that is called with each message."""

    def __call__(self, text: str) -> None:
        self.append(text)


def read(*paths: object, **details: object) -> tuple[list[Delivery], list[str]]:
    """Read recordings to their end: their deliveries and the messages."""
    messages = Messages()
    with Recording([str(path) for path in paths], messages, **details) as recording:
        return [one for batch in recording.batches() for one in batch], messages


def keys(found: list[Delivery]) -> list[str]:
    return [one.routing_key for one in found]


def record(path: object, found: list[Delivery], *, finish: bool = True) -> None:
    """Record deliveries as ``--record`` does, two a batch."""
    recorder = Recorder(str(path), LineRenderer(Output(io.BytesIO()), LINE_FORMATS["json"]))
    for place in range(0, len(found), 2):
        recorder.show([Event(one) for one in found[place : place + 2]])
        recorder.flush()
    if finish:
        recorder.close()


def incompressible(number: int) -> list[Delivery]:
    dice = random.Random(7)
    return [delivery(body=b'"%b"' % dice.randbytes(700).hex().encode()) for _ in range(number)]
