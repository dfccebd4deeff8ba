"""The interactive app of ``tcsniff browse``: pages of rows, and the widgets that show them.

Only `app` and the modules of widgets import textual; pages, rows and the store are data and
need no terminal. Start with `app` for what keys do, `event_store` for what is kept.
"""
