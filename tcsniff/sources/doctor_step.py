"""What a step of ``tcsniff doctor`` found.

Pure.
"""

from __future__ import annotations

from typing import NamedTuple


class DoctorStep(NamedTuple):
    """The result of one step.

    Attributes:
        name: The step's name, one word.
        milliseconds: How long it took.
        found: A description of the result; may hold untrusted text.
        advice: What to do, or a note; empty if there is nothing to say.
        exit_status: The exit status that listening would have; 0 if the step succeeded.
    """

    name: str
    milliseconds: float
    found: str
    advice: str = ""
    exit_status: int = 0
