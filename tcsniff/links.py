"""Addresses of tasks, groups and logs in Taskcluster's web pages, and text that leads there.

Pure. An address is made of the deployment's root URL and of ids that have the
form of ids, and of nothing else that a message holds. Paths: ``ui/src/App`` and
``services/queue/src/artifacts.js`` of the taskcluster repository. Links in
terminals are OSC 8: https://gist.github.com/egmontkob/eb114294efbcd5adb1944c9f3cb5feda
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from tcsniff.messages.parts import TASK_IDS

# A host, a port and a path: nothing that could end the address or the link.
_ROOT = re.compile(r"https?://[A-Za-z0-9.\[\]:_-]{1,255}(?:/[A-Za-z0-9._~-]{1,100}){0,8}/?")
_LOG = "artifacts/public/logs/live.log"
_MOST_RUNS = 1000  # that a message can tell of


def task_url(root_url: str | None, task_id: str) -> str | None:
    """Word the address of a task's page.

    Args:
        root_url: Of the Taskcluster deployment; None if that is not known.
        task_id: The task.

    Returns:
        None if the root URL is not known or is none, or the id is no id.
    """
    return _page(root_url, f"tasks/{task_id}", task_id)


def run_url(root_url: str | None, task_id: str, run: int) -> str | None:
    """Word the address of the page of a task's run, counted from 0; None as for `task_url`."""
    return _page(root_url, f"tasks/{task_id}/runs/{run}", task_id, run)


def group_url(root_url: str | None, task_group_id: str) -> str | None:
    """Word the address of a task group's page; None as for `task_url`."""
    return _page(root_url, f"tasks/groups/{task_group_id}", task_group_id)


def log_url(root_url: str | None, task_id: str, run: int) -> str | None:
    """Word the address of the log of a task's run, counted from 0; None as for `task_url`.

    The log is live while the run is, and kept afterwards.
    """
    return _page(root_url, f"api/queue/v1/task/{task_id}/runs/{run}/{_LOG}", task_id, run)


def _page(root_url: str | None, path: str, slug_id: str, run: int = 0) -> str | None:
    if root_url is None or not _ROOT.fullmatch(root_url):
        return None
    # A bool and a float are no numbers of runs, whatever Python thinks.
    if not TASK_IDS(slug_id) or type(run) is not int or not 0 <= run <= _MOST_RUNS:
        return None
    return f"{root_url.rstrip('/')}/{path}"


def linked(text: str, url: str | None) -> str:
    """Have a text lead somewhere when it is clicked.

    Args:
        text: What is shown; must be safe for a terminal.
        url: From this module; None for a text that leads nowhere.
    """
    # With an id, terminals show at a glance what else leads to the same place.
    return f"\x1b]8;{parameters(url)};{url}\x1b\\{text}\x1b]8;;\x1b\\" if url and text else text


def parameters(url: str) -> str:
    """Word what stands before the address in a link: what joins links to the same task."""
    found = re.search(r"tasks?/(?:groups/)?([A-Za-z0-9_-]{22})", url)
    return f"id={found[1]}" if found else ""


def are_shown(environment: Mapping[str, str], *, live: bool, coloured: bool) -> bool:
    """Tell whether a terminal is to be given links.

    The rule is gcc's, ``auto_enable_urls`` in ``gcc/diagnostic-color.cc``: where
    colours are wanted, but not on terminals that are known to show a link's
    address as garbage. All others follow links or pass them over.

    Args:
        environment: Its ``TERM``, ``COLORTERM`` and, to decide otherwise,
            ``TERM_URLS``, which is ``no`` for none.
        live: Whether there is a terminal, and not one that is dumb.
        coloured: Whether it is given colours.
    """
    if not live or not coloured:
        return False
    colours = environment.get("COLORTERM", "")
    if colours in ("xfce4-terminal", "gnome-terminal"):  # as old versions call themselves
        return False
    if wish := environment.get("TERM_URLS"):
        return wish != "no"
    # Over a serial line or a network, where the terminal says no more of itself.
    return bool(colours) or environment.get("TERM") not in ("xterm", "linux")
