"""Facts about task groups from the files of ``--graph``, for whichever group is opened.

Imported when the command runs, not for its help.
"""

from __future__ import annotations

from collections.abc import Iterable

from tcsniff.commands.wiring.run import Notify
from tcsniff.errors import UsageError
from tcsniff.pulse.addresses import Address
from tcsniff.sources.file_chunks import read_whole
from tcsniff.taskgraph.graph_files import GraphFile, parse_graph_files
from tcsniff.taskgraph.group import GroupState


class GraphFiles:
    """What the files say.

    The queue's answers name their groups. A decision task's plan does not: it is about the
    group that the user has named, or else about each group that has one of its tasks.
    """

    def __init__(self, found: GraphFile, named_group: str = "") -> None:
        """Create.

        Args:
            found: The contents of the files.
            named_group: The group that the user has named; empty for none.
        """
        self._found = found
        self._named_group = named_group
        self._groups = {info.task_group_id: info for info in found.groups}
        self._task_ids = {one.task_id for one in found.definitions}

    def name_group(self, group_id: str) -> GraphFiles:
        """Return the same for a group that the user has named.

        Raises:
            UsageError: If the files are about other groups.
        """
        if self._groups and group_id not in self._groups:
            raise UsageError(f"--graph has task group {', '.join(self._groups)}, not {group_id}")
        return GraphFiles(self._found, group_id)

    def find_group(self, address: Address) -> tuple[Address, str] | None:
        """Return what an ID is about, and its group; None if the files don't say it."""
        slug_id = address.slug_id
        if address.kind != "task" and slug_id in self._groups:
            return address._replace(kind="group"), slug_id
        if address.kind != "group" and slug_id in self._task_ids and len(self._groups) == 1:
            return address._replace(kind="task"), next(iter(self._groups))
        return None

    def add_to(self, group: GroupState) -> bool:
        """Add what the files say about a group.

        Returns:
            Whether they are about it. If not, they may turn out to be, after its next event.
        """
        found, group_id = self._found, group.task_group_id
        if self._groups:
            is_about = group_id in self._groups
        else:
            is_about = group_id == self._named_group or self._has_task(group)
        if is_about:
            group.add_facts(
                found.definitions, found.statuses, self._groups.get(group_id), found.unread
            )
            if group_id in found.whole:
                group.mark_whole()
        return is_about

    def _has_task(self, group: GroupState) -> bool:
        return not self._task_ids.isdisjoint(group.graph().nodes)


def read_graph_files(files: Iterable[str], notify: Notify) -> GraphFiles:
    """Read graph files.

    Args:
        files: Their names; none is fine.
        notify: Prints a message.

    Raises:
        RecordingError: If a file cannot be read.
    """
    found = parse_graph_files((name, read_whole(name, notify)) for name in files)
    for note in found.notes:
        notify(note)
    return GraphFiles(found)
