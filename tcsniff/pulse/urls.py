"""URLs of Taskcluster's web pages and logs, and links to them in terminals.

Pure. URLs are built only from a deployment's root URL and from IDs with a valid
form, never from other text of a message. Paths: ``ui/src/App`` and
``services/queue/src/artifacts.js`` of the taskcluster repository. Links in
terminals are OSC 8: https://gist.github.com/egmontkob/eb114294efbcd5adb1944c9f3cb5feda
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from urllib.parse import SplitResult, parse_qsl, quote, urlsplit

from tcsniff.errors import UsageError
from tcsniff.identifiers import MAX_RUN_ID, SLUG_ID, is_slug_id
from tcsniff.pulse.routing import ANY_WORDS, Binding

# Patterns are texts, because compiling them takes 1 ms of every start; `re` keeps what it
# has compiled.

# A host, a port and a path: no character that could end the URL or the link.
_ROOT_URL = r"https?://[A-Za-z0-9.\[\]:_-]{1,255}(?:/[A-Za-z0-9._~-]{1,100}){0,8}/?"
_ROOT_URL_EXAMPLE = "https://firefox-ci-tc.services.mozilla.com"
_LOG = "artifacts/public/logs/live.log"
_TASK_PATH = f"tasks?/(?:groups/)?({SLUG_ID})"

_MESSAGES_PAGE = "/pulse-messages"
_MESSAGES_EXAMPLE = "https://HOST/pulse-messages?bindings[0][exchange]=…&bindings[0][pattern]=…"
_BINDING_PARAMETER = r"bindings\[([0-9]{1,6})\]\[(exchange|pattern)\]"


def is_url(text: str) -> bool:
    """Return whether a text is an HTTP URL, of any page."""
    return text.lower().startswith(("http://", "https://"))


def check_root_url(root_url: str) -> str:
    """Return a root URL without a trailing slash.

    Raises:
        UsageError: If it is not a valid root URL.
    """
    try:
        parts = urlsplit(root_url)
        is_valid = bool(parts.scheme in ("http", "https") and parts.hostname and parts.port != 0)
    except ValueError:
        is_valid = False
    if "@" in root_url:  # perhaps after a password, which must not be printed
        raise UsageError(f"a root URL cannot contain a user; write it like {_ROOT_URL_EXAMPLE}")
    if not is_valid or not root_url.isprintable() or " " in root_url:
        raise UsageError(
            f"{root_url!r} is not a Taskcluster root URL; write it like {_ROOT_URL_EXAMPLE}"
        )
    return root_url.rstrip("/")


def get_page_root(url: str) -> str:
    """Return the root URL of a page: its URL up to the host, in lower case."""
    parts = _split_url(url)
    return f"{parts.scheme}://{parts.netloc}".lower()


def _split_url(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError:
        raise UsageError(f"{url} is not a valid URL; write it like {_MESSAGES_EXAMPLE}") from None


def build_task_url(root_url: str | None, task_id: str) -> str | None:
    """Return the URL of a task's page; None if the root URL or the ID is unknown or not valid."""
    return _build_page_url(root_url, f"tasks/{task_id}", task_id)


def build_run_url(root_url: str | None, task_id: str, run: int) -> str | None:
    """Return the URL of the page of a task's run, counted from 0; None as for `build_task_url`."""
    return _build_page_url(root_url, f"tasks/{task_id}/runs/{run}", task_id, run)


def build_group_url(root_url: str | None, task_group_id: str) -> str | None:
    """Return the URL of a task group's page; None as for `build_task_url`."""
    return _build_page_url(root_url, f"tasks/groups/{task_group_id}", task_group_id)


def build_log_url(root_url: str | None, task_id: str, run: int) -> str | None:
    """Return the URL of the log of a task's run, counted from 0; None as for `build_task_url`.

    The log grows during the run, and is kept when the run has ended.
    """
    return _build_page_url(
        root_url, f"api/queue/v1/task/{task_id}/runs/{run}/{_LOG}", task_id, run
    )


def build_artifact_url(root_url: str | None, task_id: str, run: int, name: str) -> str | None:
    """Return the URL of an artifact of a task's run; None as for `build_task_url`.

    Args:
        root_url: Root URL of the deployment.
        task_id: The task.
        run: The run, counted from 0.
        name: The artifact's name, which must be ours: it is not checked.
    """
    path = f"api/queue/v1/task/{task_id}/runs/{run}/artifacts/{name}"
    return _build_page_url(root_url, path, task_id, run)


def _build_page_url(root_url: str | None, path: str, slug_id: str, run: int = 0) -> str | None:
    if root_url is None or not re.fullmatch(_ROOT_URL, root_url):
        return None
    # `type`, because in Python a bool is an int, and 1.0 equals 1.
    if not is_slug_id(slug_id) or type(run) is not int or not 0 <= run <= MAX_RUN_ID:
        return None
    return f"{root_url.rstrip('/')}/{path}"


def build_messages_url(root_url: str, bindings: Iterable[Binding]) -> str:
    """Return the URL of the page that shows the messages of some bindings."""
    pairs = [
        f"bindings%5B{number}%5D%5B{name}%5D={quote(value, safe='', errors='surrogateescape')}"
        for number, binding in enumerate(bindings)
        for name, value in zip(("exchange", "pattern"), binding, strict=True)
    ]
    return f"{root_url.rstrip('/')}{_MESSAGES_PAGE}?{'&'.join(pairs)}"


def parse_bindings(url: str) -> list[Binding]:
    """Parse the bindings in the URL of the page that shows messages.

    Args:
        url: The URL, percent-encoded or not.

    Returns:
        The bindings in the page's order. As on the page, a binding without a
        pattern matches all messages of its exchange.

    Raises:
        UsageError: If it is the URL of another page, or has no bindings.
    """
    parts = _split_url(url)
    if not parts.path.rstrip("/").endswith(_MESSAGES_PAGE):
        raise UsageError(
            f"{url} is not the page that shows messages; its URL is like {_MESSAGES_EXAMPLE}"
        )
    # If it is not encoded, the `#` of a pattern starts the URL's fragment.
    query = parts.query + (f"#{parts.fragment}" if parts.fragment or url.endswith("#") else "")
    values: dict[int, dict[str, str]] = {}
    for name, value in parse_qsl(query, keep_blank_values=True, separator="&"):
        if (parameter := re.fullmatch(_BINDING_PARAMETER, name)) is not None:
            values.setdefault(int(parameter[1]), {})[parameter[2]] = value
    bindings = [
        Binding(binding["exchange"], binding.get("pattern") or ANY_WORDS)
        for _, binding in sorted(values.items())
        if binding.get("exchange")
    ]
    if not bindings:
        raise UsageError(f"{url} has no bindings; write it like {_MESSAGES_EXAMPLE}")
    return list(dict.fromkeys(bindings))


def format_link(text: str, url: str | None) -> str:
    """Return a text as a terminal link.

    Args:
        text: The text; must be safe for a terminal.
        url: A URL from this module; None for a text without a link.
    """
    if not url or not text:
        return text
    return f"\x1b]8;{format_link_parameters(url)};{url}\x1b\\{text}\x1b]8;;\x1b\\"


def format_link_parameters(url: str) -> str:
    """Return the parameters of a link: an ID by which terminals highlight all links to a task."""
    match = re.search(_TASK_PATH, url)
    return f"id={match[1]}" if match else ""


def are_links_enabled(environment: Mapping[str, str], *, live: bool, colored: bool) -> bool:
    """Return whether to print links to a terminal.

    The rule is gcc's, ``auto_enable_urls`` in ``gcc/diagnostic-color.cc``: print
    links where colors are printed, except on terminals that are known to print
    a link's URL as garbage. All other terminals support or ignore links.

    Args:
        environment: Environment variables: ``TERM``, ``COLORTERM``, and
            ``TERM_URLS``, which is ``no`` to disable links.
        live: Whether the output is a terminal, and not a dumb one.
        colored: Whether colors are printed.
    """
    if not live or not colored:
        return False
    color_term = environment.get("COLORTERM", "")
    if color_term in ("xfce4-terminal", "gnome-terminal"):  # the names of old versions
        return False
    if term_urls := environment.get("TERM_URLS"):
        return term_urls != "no"
    # Serial lines and network connections often pass on TERM only.
    return bool(color_term) or environment.get("TERM") not in ("xterm", "linux")
