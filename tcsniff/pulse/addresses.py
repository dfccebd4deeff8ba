"""IDs and addresses as people paste them: of tasks, runs, task groups, logs and artifacts.

Pure. Paths: ``ui/src/views/Tasks/routes.js`` and the references of the queue and the web
server, of the taskcluster repository at v106.0.0. Firefox CI's queue redirects to
firefoxci.taskcluster-artifacts.net for public artifacts.
"""

from __future__ import annotations

import re
from typing import Literal, NamedTuple
from urllib.parse import unquote

from tcsniff.errors import UsageError
from tcsniff.identifiers import ID_CHARACTER, SLUG_ID, SLUG_ID_EXAMPLE
from tcsniff.pulse.urls import get_page_root, is_url

Kind = Literal["task", "group", "unknown"]


class Address(NamedTuple):
    """What an ID or an address is about.

    Attributes:
        slug_id: The ID of the task or task group.
        kind: Whether it is a task or a task group; ``unknown`` for an ID alone.
        run: The number of the task's run, from 0; None if the address names none.
        root_url: Root URL of the deployment; None if it is not in the address.
    """

    slug_id: str
    kind: Kind = "unknown"
    run: int | None = None
    root_url: str | None = None


# Texts, because compiling them takes 2 ms of every start; `re` keeps what it has compiled.
_ID = f"{SLUG_ID}(?!{ID_CHARACTER})"
_RUN = "(?:[0-9]{1,3}|1000)(?![A-Za-z0-9_-])"
_SLASH = "/{1,3}"
_PREFIX = r"(?P<prefix>(?:/[A-Za-z0-9._~-]{1,100}){0,8}?)"
_TASK = f"(?P<task>{_ID})(?:{_SLASH}runs{_SLASH}(?P<run>{_RUN}))?"
_PATH = (
    f"(?:(?:tasks{_SLASH}groups|api/(?:queue|web-server)/v1/task-group){_SLASH}(?P<group>{_ID})"
    f"|(?:tasks|api/(?:queue|web-server)/v1/task){_SLASH}{_TASK})"
)
_PAGE = (
    r"(?P<scheme>(?i:https?))://(?:[^/@?#\s]{0,200}@)?(?P<host>[A-Za-z0-9.\[\]:_-]{1,255})"
    f"{_PREFIX}{_SLASH}{_PATH}"
)
# As browsers show an address, or a path of it.
_SHORT = (
    rf"(?:(?P<host>[A-Za-z0-9_-]{{1,63}}(?:\.[A-Za-z0-9_-]{{1,63}}){{1,8}}(?::[0-9]{{1,5}})?)"
    rf"{_PREFIX}{_SLASH}|/?){_PATH}"
)
_STORAGE = (
    r"(?i:https?)://(?P<host>(?:[a-z0-9-]{1,63}\.)?taskcluster-artifacts\.net)"
    rf"/(?P<task>{_ID})/(?P<run>{_RUN})"
)
_STORAGE_ROOTS = {
    "firefoxci.taskcluster-artifacts.net": "https://firefox-ci-tc.services.mozilla.com"
}
# As logs of workers and Treeherder write a run: ID/0 or ID.0.
_BARE = rf"(?P<task>{SLUG_ID})(?:(?:/|\.|/runs/)(?P<run>{_RUN}))?"

# What is copied with an ID; none of it is part of one.
_WRAPPING = "".join(map(chr, range(33))) + "<>()[]{}\"'`,;:!?.*|\u00a0\u200b\ufeff“”‘’„‚«»‹›…"
_LENGTHS = range(len(SLUG_ID_EXAMPLE), 4_001)  # characters of an ID or address
_MAX_ENCODINGS = 3  # a link to a link to an address


def find_address(text: str) -> Address | None:
    """Find what an ID or an address is about.

    Args:
        text: An ID alone; the address of a page, log, artifact or API call of any
            deployment, percent-encoded or not, also inside another address; with
            whatever brackets, quotes and punctuation were copied around it.

    Returns:
        None if the text is neither.
    """
    if len(text) not in _LENGTHS:
        return None
    bare = re.fullmatch(_BARE, text.strip(_WRAPPING).removesuffix("/"))
    if bare is not None:
        kind: Kind = "unknown" if bare["run"] is None else "task"
        return Address(bare["task"], kind, _to_run(bare["run"]))
    for _ in range(_MAX_ENCODINGS):
        if (address := _find_page(text)) is not None:
            return address
        text = unquote(text)
    return None


def parse_address(text: str, wanted: str = "task or task group") -> Address:
    """Parse an ID or an address.

    Args:
        text: As for `find_address`.
        wanted: What the ID should belong to, for the error.

    Raises:
        UsageError: If it is neither.
    """
    address = find_address(text)
    if address is not None:
        return address
    if is_url(text):
        raise UsageError(
            f"{text} is not the address of a {wanted}; it is like https://HOST/tasks/ID or "
            "https://HOST/tasks/groups/ID"
        )
    raise UsageError(f"{text!r} is not a {wanted} ID (22 characters, like {SLUG_ID_EXAMPLE})")


def find_root_url(text: str) -> str | None:
    """Return the root URL of the deployment in an address; None if there is none.

    Any page names a deployment, also one that is not about a task.
    """
    address = find_address(text)
    if address is not None:
        return address.root_url
    return get_page_root(text) if is_url(text) else None


def _find_page(text: str) -> Address | None:
    if (match := re.search(_STORAGE, text)) is not None:
        root_url = _STORAGE_ROOTS.get(match["host"].lower())
        return Address(match["task"], "task", _to_run(match["run"]), root_url)
    match = re.search(_PAGE, text) or re.match(_SHORT, text.strip(_WRAPPING))
    if match is None:
        return None
    page = match.groupdict()
    root_url = None
    if page["host"]:
        scheme = page.get("scheme") or "https"
        root_url = f"{scheme}://{page['host']}".lower() + page["prefix"]
    if page["group"]:
        return Address(page["group"], "group", None, root_url)
    return Address(page["task"], "task", _to_run(page["run"]), root_url)


def _to_run(text: str | None) -> int | None:
    return None if text is None else int(text)
