"""A task graph as text for other programs: one module and one function for each format.

Pure. Start with `json`, the plainest; `drawing` has what `dot` and `mermaid` share.
"""
