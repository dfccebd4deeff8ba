"""Watch Taskcluster's task events, in the terminal and in programs.

    from tcsniff import bind, listen

Importing the package loads nothing else; the first use of one of these names
loads its module.
"""

TYPE_CHECKING = False  # typing's constant, without importing it: 3 ms

if TYPE_CHECKING:
    from tcsniff.pulse.events import Event as Event
    from tcsniff.selection.bind import bind as bind
    from tcsniff.settings.web_server import web as web
    from tcsniff.sources.listen import listen as listen

__version__ = "0.1.0"

__all__ = ["Event", "bind", "listen", "web"]

_MODULES = {
    "Event": "tcsniff.pulse.events",
    "bind": "tcsniff.selection.bind",
    "listen": "tcsniff.sources.listen",
    "web": "tcsniff.settings.web_server",
}


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    return [*globals(), *__all__]
