"""tcsniff: see Taskcluster's task events in the terminal."""

__version__ = "0.1.0"
