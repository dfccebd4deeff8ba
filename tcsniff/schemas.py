"""Messages and records as JSON Schema, draft 2020-12, with their documentation.

Pure.
"""

from __future__ import annotations

import re
import textwrap
from typing import Any

import msgspec

from tcsniff.tasks import Artifact, Record, RunInformation, TaskStatus, TaskTags


def schema(kind: type[Record]) -> dict[str, Any]:
    """Word a class as JSON Schema, draft 2020-12, with its documentation.

    What may grow has its known values as ``examples``.

    Args:
        kind: The class, such as one of `CLASSES`.
    """
    worded = msgspec.json.schema(kind)
    for part in (kind, TaskStatus, RunInformation, TaskTags, Artifact):
        if part.__name__ in worded["$defs"]:
            _describe(worded["$defs"][part.__name__], part)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **worded}


def _describe(worded: dict[str, Any], kind: type[Record]) -> None:
    wire = dict(zip(kind.__struct_fields__, kind.__struct_encode_fields__, strict=True))
    for base in reversed(kind.__mro__[: kind.__mro__.index(Record)]):
        # Before Python 3.13 every line but the first is indented as in the source.
        text = textwrap.dedent("    " + (base.__doc__ or ""))
        text, _, attributes = text.partition("Attributes:\n")
        worded["description"] = " ".join(text.split())
        for name, meaning in _ATTRIBUTE.findall(attributes):
            worded["properties"][wire[name]]["description"] = " ".join(meaning.split())


_ATTRIBUTE = re.compile(r"^    (\w+): (.+(?:\n {8}.+)*)", re.MULTILINE)
