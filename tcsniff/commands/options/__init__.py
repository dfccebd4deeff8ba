"""The flags that commands share, and their values.

A decorator such as `source_options` adds flags to a command, which receives them as one
argument such as `SourceArgs`. Start with `option`, the flags' class. Pure except for the
settings file.
"""
