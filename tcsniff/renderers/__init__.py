"""Views of events: lines, the live table, task graphs, worker pools, SVG pictures, recordings.

Not pure: renderers write to the terminal and to files. Start with `lines` for
text, `live_view` for pictures, and `output` for what is below both.
"""
