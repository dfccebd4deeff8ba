"""Views of `top`: a live table, a page, and JSON lines.

Start with `live_top`; the counts come from `tcsniff.stats`.
"""
