"""Output to a terminal that has been closed."""

from __future__ import annotations

import os

import pytest

from builders import time_zone
from tcsniff.errors import OutputClosed
from tcsniff.renderers.output import Output


@pytest.fixture(autouse=True)
def utc():
    with time_zone("UTC"):
        yield


def test_a_terminal_that_is_gone_is_a_reader_that_went_away():
    """Its window was closed: writing to it answers EIO, or there is nobody to read."""
    master, slave = os.openpty()

    with os.fdopen(slave, "wb", buffering=0) as terminal:
        output = Output(terminal)
        os.close(master)
        with pytest.raises(OutputClosed):
            output.write(b"lost\n")

    assert output.is_terminal
