"""Addresses of tasks, groups and logs in Taskcluster's web pages, and text that leads there.

Pure. An address is made of the deployment's root URL and of ids that have the
form of ids, and of nothing else that a message holds. Paths: ``ui/src/App`` and
``services/queue/src/artifacts.js`` of the taskcluster repository. Links in
terminals are OSC 8: https://gist.github.com/egmontkob/eb114294efbcd5adb1944c9f3cb5feda
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from urllib.parse import SplitResult, parse_qsl, quote, urlsplit

from tcsniff.errors import UsageError
from tcsniff.messages.identifiers import is_slug_id
from tcsniff.pulse.routing import ANY_WORDS, Binding

# A host, a port and a path: nothing that could end the address or the link.
_ROOT = re.compile(r"https?://[A-Za-z0-9.\[\]:_-]{1,255}(?:/[A-Za-z0-9._~-]{1,100}){0,8}/?")
_LOG = "artifacts/public/logs/live.log"
_MOST_RUNS = 1000  # that a message can tell of


def build_task_url(root_url: str | None, task_id: str) -> str | None:
    """Word the address of a task's page.

    Args:
        root_url: Of the Taskcluster deployment; None if that is not known.
        task_id: The task.

    Returns:
        None if the root URL is not known or is none, or the id is no id.
    """
    return _build_page_url(root_url, f"tasks/{task_id}", task_id)


def build_run_url(root_url: str | None, task_id: str, run: int) -> str | None:
    """Word the address of the page of a task's run, counted from 0; None as for `task_url`."""
    return _build_page_url(root_url, f"tasks/{task_id}/runs/{run}", task_id, run)


def build_group_url(root_url: str | None, task_group_id: str) -> str | None:
    """Word the address of a task group's page; None as for `task_url`."""
    return _build_page_url(root_url, f"tasks/groups/{task_group_id}", task_group_id)


def build_log_url(root_url: str | None, task_id: str, run: int) -> str | None:
    """Word the address of the log of a task's run, counted from 0; None as for `task_url`.

    The log is live while the run is, and kept afterwards.
    """
    return _build_page_url(
        root_url, f"api/queue/v1/task/{task_id}/runs/{run}/{_LOG}", task_id, run
    )


def _build_page_url(root_url: str | None, path: str, slug_id: str, run: int = 0) -> str | None:
    if root_url is None or not _ROOT.fullmatch(root_url):
        return None
    # A bool and a float are no numbers of runs, whatever Python thinks.
    if not is_slug_id(slug_id) or type(run) is not int or not 0 <= run <= _MOST_RUNS:
        return None
    return f"{root_url.rstrip('/')}/{path}"


def format_link(text: str, url: str | None) -> str:
    """Have a text lead somewhere when it is clicked.

    Args:
        text: What is shown; must be safe for a terminal.
        url: From this module; None for a text that leads nowhere.
    """
    # With an id, terminals show at a glance what else leads to the same place.
    return (
        f"\x1b]8;{format_link_parameters(url)};{url}\x1b\\{text}\x1b]8;;\x1b\\"
        if url and text
        else text
    )


def format_link_parameters(url: str) -> str:
    """Word what stands before the address in a link: what joins links to the same task."""
    found = re.search(r"tasks?/(?:groups/)?([A-Za-z0-9_-]{22})", url)
    return f"id={found[1]}" if found else ""


def are_links_enabled(environment: Mapping[str, str], *, live: bool, coloured: bool) -> bool:
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


_PAGE = "/pulse-messages"
_NAME = re.compile(r"bindings\[([0-9]{1,6})\]\[(exchange|pattern)\]")
_PAGE_EXAMPLE = "https://HOST/pulse-messages?bindings[0][exchange]=…&bindings[0][pattern]=…"


def is_url(word: str) -> bool:
    """Tell whether a word is the address of a page, of whichever."""
    return word.lower().startswith(("http://", "https://"))


def get_page_root(url: str) -> str:
    """Tell the root URL of a page: its address up to the host, in lower case."""
    parts = _split_url(url)
    return f"{parts.scheme}://{parts.netloc}".lower()


def parse_bindings(url: str) -> list[Binding]:
    """Read the bindings off the address of the page.

    Args:
        url: The address, percent-encoded or not.

    Returns:
        In the page's order; a binding without a pattern takes all messages of
        its exchange, as on the page.

    Raises:
        UsageError: If it is the address of another page, or has no bindings.
    """
    parts = _split_url(url)
    if not parts.path.rstrip("/").endswith(_PAGE):
        raise UsageError(
            f"{url} is not the page that shows messages, which looks like {_PAGE_EXAMPLE}"
        )
    # A pattern's `#` starts what browsers do not send, if it is not encoded.
    query = parts.query + (f"#{parts.fragment}" if parts.fragment or url.endswith("#") else "")
    found: dict[int, dict[str, str]] = {}
    for name, value in parse_qsl(query, keep_blank_values=True, separator="&"):
        if (place := _NAME.fullmatch(name)) is not None:
            found.setdefault(int(place[1]), {})[place[2]] = value
    bindings = [
        Binding(found[number]["exchange"], found[number].get("pattern") or ANY_WORDS)
        for number in sorted(found)
        if found[number].get("exchange")
    ]
    if not bindings:
        raise UsageError(f"{url} holds no bindings; it looks like {_PAGE_EXAMPLE}")
    return list(dict.fromkeys(bindings))


def _split_url(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError:
        raise UsageError(
            f"{url} is no address of a page; that looks like {_PAGE_EXAMPLE}"
        ) from None


def build_messages_url(root_url: str, bindings: Iterable[Binding]) -> str:
    """Word the address of the page that shows what is bound.

    Args:
        root_url: Of the Taskcluster deployment.
        bindings: What to show there.
    """
    pairs = [
        f"bindings%5B{number}%5D%5B{name}%5D={quote(value, safe='', errors='surrogateescape')}"
        for number, binding in enumerate(bindings)
        for name, value in zip(("exchange", "pattern"), binding, strict=True)
    ]
    return f"{root_url.rstrip('/')}{_PAGE}?{'&'.join(pairs)}"


_ROOT_URL_EXAMPLE = "https://firefox-ci-tc.services.mozilla.com"


def check_root_url(root_url: str) -> str:
    """See that a text is a root URL, and write it as all are written here.

    Returns:
        It, without a slash at its end.

    Raises:
        UsageError: If it is none.
    """
    try:
        parts = urlsplit(root_url)
        is_one = bool(parts.scheme in ("http", "https") and parts.hostname and parts.port != 0)
    except ValueError:
        is_one = False
    if "@" in root_url:  # may be behind a password, which is not to be shown
        raise UsageError("a root URL has no user in it; it looks like " + _ROOT_URL_EXAMPLE)
    if not is_one or not root_url.isprintable() or " " in root_url:
        raise UsageError(
            f"{root_url!r} is no root URL of Taskcluster; it looks like {_ROOT_URL_EXAMPLE}"
        )
    return root_url.rstrip("/")


def find_credentials(root_url: str, environment: Mapping[str, str]) -> dict[str, str]:
    """Find credentials in the environment, as Taskcluster's client wants them.

    Returns:
        Those that belong to ``TASKCLUSTER_ROOT_URL``, if that is the root URL;
        none of them is for anybody else. Empty if there are none.
    """
    given = {
        "clientId": environment.get("TASKCLUSTER_CLIENT_ID"),
        "accessToken": environment.get("TASKCLUSTER_ACCESS_TOKEN"),
        "certificate": environment.get("TASKCLUSTER_CERTIFICATE"),
    }
    found = {name: value for name, value in given.items() if value}
    is_theirs = environment.get("TASKCLUSTER_ROOT_URL", "").rstrip("/") == root_url
    return found if is_theirs and {"clientId", "accessToken"} <= found.keys() else {}
