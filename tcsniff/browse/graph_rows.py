"""The rows of the page of a task group, each made when it is asked for.

Pure, except that `GraphRows` remembers what it has found. A group of 10,000 tasks is laid out
anew every second or two, and 40 of its rows are on the screen: to make all of them took 100 ms.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Hashable, Sequence
from typing import NamedTuple

from tcsniff.browse.group_watch import GroupLayout
from tcsniff.taskgraph.nodes import Node
from tcsniff.taskgraph.outline import Row

PATH = "critical path"
"""The kind of the critical path and its steps."""


class GraphRow(NamedTuple):
    """A row of the page.

    Attributes:
        key: What identifies it.
        part: ``wrong``, ``kind``, ``task``, ``path`` or ``step``.
        row: The tasks of the row; None for a kind and the path.
        kind: The kind of a row that can be opened, and of its tasks.
        place: The row's place among those of its part and kind.
    """

    key: Hashable
    part: str
    row: Row | None = None
    kind: str = ""
    place: int = 0

    @property
    def node(self) -> Node | None:
        """The first task of the row."""
        return self.row.node if self.row is not None else None


class _Part(NamedTuple):
    # Rows of one part and kind that follow each other; `rows` is empty for a kind or the path.
    start: int
    part: str
    kind: str
    rows: Sequence[Row] = ()


class GraphRows:
    """What went wrong, the kinds with the tasks of those that are open, and the critical path.

    Attributes:
        number_wrong: The number of the rows of what went wrong, which are the first ones.
    """

    def __init__(
        self, layout: GroupLayout | None = None, open_kinds: Collection[str] = ()
    ) -> None:
        """Create rows.

        Args:
            layout: The group; None for no rows.
            open_kinds: The kinds whose tasks have rows.
        """
        self.number_wrong = 0
        self._length = 0
        self._parts: list[_Part] = []
        self._places: dict[Hashable, int | None] = {}
        self._layout = layout
        if layout is not None:
            self.number_wrong = len(layout.scene.wrong)
            self._add("wrong", "", layout.scene.wrong)
            for kind, rows in layout.kinds.items():
                self._add("kind", kind)
                self._add("task", kind, rows if kind in open_kinds else ())
            if path := layout.scene.path:
                self._add("path", PATH)
                self._add("step", PATH, [Row((step.node,)) for step in path if PATH in open_kinds])

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, index: int) -> GraphRow:
        _, part, kind, rows = found = self._parts[bisect_right(self._parts, index, key=_start) - 1]
        if not rows:
            return GraphRow(("kind", kind), part, kind=kind)
        place = index - found.start
        return GraphRow((part, rows[place].node.task_id), part, rows[place], kind, place)

    def find(self, key: Hashable) -> int | None:
        """Return the place of a task or a kind; that of its kind if a task has no row any more.

        A task that went wrong may run again, or be no longer on the critical path.
        """
        if key not in self._places and isinstance(key, tuple):
            self._places[key] = self._search(*key)
        return self._places.get(key)

    def _add(self, part: str, kind: str, rows: Sequence[Row] = ()) -> None:
        number = len(rows) if part in ("wrong", "task", "step") else 1
        if number:
            self._parts.append(_Part(self._length, part, kind, rows))
            self._length += number

    def _search(self, name: str, wanted: str) -> int | None:
        if name == "kind":
            return self._find_kind(wanted)
        for part in (name, "wrong", "task"):
            for one in self._parts:
                if one.part == part and (place := _find_task(one.rows, wanted)) is not None:
                    return one.start + place
        kinds = self._layout.kinds if self._layout is not None else {}
        found = (kind for kind, rows in kinds.items() if _find_task(rows, wanted) is not None)
        return self._find_kind(next(found, None))

    def _find_kind(self, kind: str | None) -> int | None:
        return next((one.start for one in self._parts if one.kind == kind and not one.rows), None)


def _start(part: _Part) -> int:
    return part.start


def _find_task(rows: Sequence[Row], task_id: str) -> int | None:
    for place, row in enumerate(rows):
        for node in row.nodes:
            if node.task_id == task_id:
                return place
    return None
