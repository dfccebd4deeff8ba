"""tcsniff: see Taskcluster's task events, in the terminal and in programs.

    from tcsniff import bind, listen

Importing the package costs nothing; what stands behind these names is loaded
when one is used.
"""

__version__ = "0.1.0"

__all__ = ["Event", "bind", "listen"]

_HOMES = {
    "Event": "tcsniff.pulse.events",
    "bind": "tcsniff.selection.bind",
    "listen": "tcsniff.sources.listen",
}


def __getattr__(name: str) -> object:
    try:
        home = _HOMES[name]
    except KeyError:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None
    from importlib import import_module

    return getattr(import_module(home), name)


def __dir__() -> list[str]:
    return [*globals(), *__all__]
